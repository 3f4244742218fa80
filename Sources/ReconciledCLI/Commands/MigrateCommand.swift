import ArgumentParser
import Postgres
import PostgresStore
import Schema

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database's schema to this version, forward only.")

    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Say what was applied and what is pending; exit 1 if pollers of this version cannot run.")
    var status = false

    @Flag(help: "Print the SQL that would be run, and run nothing.")
    var dryRun = false

    @Flag(help: "Print least-privilege GRANTs for the application, the pollers and a reader.")
    var grants = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard [status, dryRun, grants].count(where: { $0 }) <= 1 else {
            throw ValidationError("--status, --dry-run and --grants exclude each other")
        }
    }

    func run() async throws {
        if grants {
            StandardOutput.write(Statement.sql("grants").text)
            return
        }
        try await database.withSession(checkingSchema: false, makesCluster: !status && !dryRun) { session in
            if status {
                try show(try await session.migrator.state())
            } else if dryRun {
                preview(try await session.migrator.state())
            } else {
                let applied = try await session.migrator.migrate()
                let watches = session.configuration.watches
                for (watch, notifies) in [("orders", watches.orders.notify), ("uploads", watches.uploads.notify)] {
                    try await session.pool.execute(
                        PostgresQuery(.sql("\(notifies ? "enable" : "disable")_notify_\(watch)")))
                }
                try await Registry(pool: session.pool).maintainChecks()
                report(applied, isDone: true)
            }
        }
    }

    private func show(_ state: SchemaState) throws {
        if json {
            let applied = state.applied.map { migration in
                JSONText.object([
                    "version": JSONText.number(migration.version), "name": JSONText.quoted(migration.name),
                    "applied_at": JSONText.quoted(migration.appliedAt.description),
                ])
            }
            print(
                JSONText.object([
                    "applied": JSONText.array(applied), "pending": JSONText.array(state.pending.map(Self.object)),
                    "problem": JSONText.quoted(state.problem),
                ]))
        } else {
            var table = TextTable([.init("VERSION", .right), .init("NAME"), .init("APPLIED")])
            for migration in state.applied {
                table.add(["\(migration.version)", migration.name, migration.appliedAt.description])
            }
            for migration in state.pending {
                table.add(["\(migration.version)", migration.name, "pending"], style: .yellow)
            }
            StandardOutput.write(table)
        }
        if let problem = state.problem { throw CommandFailure(problem) }
    }

    private func preview(_ state: SchemaState) {
        if json {
            report(state.pending, isDone: false)
        } else {
            for migration in state.pending { print("-- v\(migration.version) \(migration.name)\n\(migration.text)") }
            if state.pending.isEmpty { print("-- nothing is pending") }
        }
    }

    private func report(_ migrations: [Migration], isDone: Bool) {
        if json {
            print(JSONText.object([isDone ? "applied" : "pending": JSONText.array(migrations.map(Self.object))]))
        } else if migrations.isEmpty {
            print("the schema is up to date")
        } else {
            for migration in migrations { print("applied v\(migration.version) \(migration.name)") }
        }
    }

    private static func object(_ migration: Migration) -> String {
        JSONText.object(["version": JSONText.number(migration.version), "name": JSONText.quoted(migration.name)])
    }
}
