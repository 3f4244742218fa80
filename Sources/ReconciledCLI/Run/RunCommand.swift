import ArgumentParser
import Logging

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run pollers, metrics and probes until SIGTERM.",
        discussion: """
            SIGTERM stops claiming, finishes what runs within 30 seconds and hands the rest back; a second one hands back \
            at once. SIGHUP reads the configuration again; a wrong one is logged and the old one stays, but a port that is \
            taken or a schema that does not fit ends the process. What is under check then is finished under the old \
            one, while the new one begins; for so long more may be under way than its limits allow. An unreachable \
            database is waited for.

            --embedded [DIR] starts a private PostgreSQL from the system's binaries in DIR and keeps its data there; alone, \
            at the end or before another option, in .reconciled under the current directory (/var/lib/reconciled for \
            root). A second run on the same DIR uses the server of the first, which stops it when it ends. It implies \
            --migrate. Other commands take it too, and make no new database but for migrate.
            """)

    @OptionGroup var common: CommonOptions

    @Option(
        help: ArgumentHelp(
            "Start a private PostgreSQL in DIR, \(EmbeddedPostgres.defaultDirectory) if left out.", valueName: "DIR"))
    var embedded: String?

    @Flag(help: "Migrate the database first.")
    var migrate = false

    func run() async throws {
        OpenFilesLimit.raise()
        let configuration = try common.configuration()
        if embedded == nil, configuration.database.url == nil { throw DatabaseConfiguration.missing }
        let logger = common.logger(defaultLevel: .info)
        try await EmbeddedPostgres.withURL(
            configuration.database, embedded: embedded, makesCluster: true, logger: logger
        ) { url in
            if embedded != nil { logger.info("PostgreSQL is ready", metadata: ["url": "\(url)"]) }
            let supervisor = Supervisor(
                embeddedURL: embedded == nil ? nil : url, migrates: migrate || embedded != nil,
                logger: logger, reload: { [common] in try common.configuration() })
            try await supervisor.run(configuration)
        }
    }
}
