import ArgumentParser
import Glibc
import Logging

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Configuration to read; else RECONCILED_CONFIG, else ./reconciled.yaml where there is one.",
            valueName: "FILE"))
    var config: String?

    @Option(help: "How log lines on standard error look: text or json; text on a terminal, json otherwise.")
    var logFormat: LogFormat?

    @Option(help: "The least severe lines that are logged: trace, debug, info, notice, warning, error or critical.")
    var logLevel: Logger.Level?

    func configuration() throws -> Configuration { try Configuration.load(path: config) }

    /// A logger of the program's form.
    func logger(defaultLevel: Logger.Level = .warning) -> Logger {
        let isTerminal = Descriptor.isTerminal(STDERR_FILENO)
        let format = logFormat ?? (isTerminal ? .text : .json)
        let level = logLevel ?? defaultLevel
        let usesColour = isTerminal && StandardOutput.allowsColour
        return Logger(label: "reconciled") { label in
            var handler = LineLogHandler(label: label, format: format, usesColour: usesColour)
            handler.logLevel = level
            return handler
        }
    }
}

extension LogFormat: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
