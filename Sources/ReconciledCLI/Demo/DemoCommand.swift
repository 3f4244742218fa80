import ArgumentParser
import Foundation
import Logging

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show a thousand orders and twenty uploads righting themselves on a private PostgreSQL.",
        discussion: """
            Starts a private PostgreSQL, a sandbox gateway and two pollers, adds orders of which a third are stuck in every \
            way that the rules know, and uploads on real files: whole, with holes, still arriving, abandoned, with a wrong \
            digest or a file in their way, and a large one whose poller is killed in the middle of its merge. Prints the \
            dashboard's address; what needs a human waits there. Ends when each is where its truth says, on a terminal \
            with the next Ctrl-C. Exit code 1 if one is not.
            """)

    @Option(help: "How many orders.")
    var orders = 1_000

    @Option(help: ArgumentHelp("The size of the large upload; twice as much of the disk is needed.", valueName: "MIB"))
    var largeMib = 200

    @Flag(
        inversion: .prefixedNo,
        help: "Go on with pollers and dashboard afterwards, until Ctrl-C; by default on a terminal.")
    var stay: Bool?

    @Option(help: "Keep everything (data, configuration, logs) in this directory; by default it is thrown away.")
    var directory: String?

    func validate() throws {
        guard (1...100_000).contains(largeMib) else { throw ValidationError("--large-mib is between 1 and 100000") }
        guard (1...100_000).contains(orders) else { throw ValidationError("--orders is between 1 and 100000") }
    }

    func run() async throws {
        var logger = Logger(label: "demo")
        logger.logLevel = .warning
        let temporary = FileManager.default.temporaryDirectory.appending(path: "reconciled-demo-\(getpid())")
        let place = directory.map { URL(filePath: $0).standardizedFileURL } ?? temporary
        defer {
            if directory == nil {
                do {
                    try FileManager.default.removeItem(at: temporary)
                } catch {
                    logger.warning("the demo's directory could not be removed", metadata: ["error": "\(error)"])
                }
            }
        }
        let usesColour = Descriptor.isTerminal(STDOUT_FILENO) && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
        let demo = Demo(
            orderCount: orders, largeBytes: Int64(largeMib) << 20, directory: place, usesColour: usesColour,
            stays: stay ?? (Descriptor.isTerminal(STDIN_FILENO) && Descriptor.isTerminal(STDOUT_FILENO)),
            logger: logger)
        guard try await demo.run() else { throw ExitCode(1) }
    }
}
