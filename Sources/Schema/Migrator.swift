import Logging
import Postgres
import Timeline

/// Brings a database to the schema that this version of Reconciled knows: forward only, each migration in a transaction
/// of its own under one advisory lock, so that two that migrate at the same instant do it once.
public struct Migrator: Sendable {
    /// A migration may take longer than any statement of a poller.
    private static let patience = Duration.seconds(3_600)
    /// Claims and the application's statements wait behind a migration that waits for a lock.
    private static let lockTimeout = "2s"
    /// Theirs before it is tried again.
    private static let lockPause = Duration.seconds(1)

    private let pool: PostgresPool
    private let migrations: [Migration]
    private let logger: Logger

    public init(pool: PostgresPool, migrations: [Migration] = Migration.all, logger: Logger) {
        self.pool = pool
        self.migrations = migrations
        self.logger = logger
    }

    /// Reads; changes nothing.
    public func state() async throws -> SchemaState {
        let migrations = migrations
        return try await pool.withTransaction { transaction in
            try Self.state(in: transaction, known: migrations)
        }
    }

    /// Applies what is pending and returns it. Throws `SchemaError` when the schema is not one that this version can
    /// migrate, or the database's error, in which case the migrations before the failed one stay applied.
    @discardableResult
    public func migrate() async throws -> [Migration] {
        // Nothing to do needs no right to do it.
        let state = try await state()
        if state.pending.isEmpty, state.problem == nil { return [] }
        var done: [Migration] = []
        while let migration = try await applyNext() {
            logger.info("migrated", metadata: ["version": "\(migration.version)", "name": "\(migration.name)"])
            done.append(migration)
        }
        return done
    }

    private func applyNext() async throws -> Migration? {
        let end = Moment.now + Self.patience
        var level = Logger.Level.notice
        while true {
            do {
                return try await applyNext(before: end)
            } catch let error as PostgresError where Self.isLockConflict(error) && Moment.now < end {
                logger.log(
                    level: level, "a migration waits for others' transactions; trying again",
                    metadata: ["error": "\(error)"])
                level = .debug
            }
            try await Task.sleep(for: Self.lockPause)
        }
    }

    /// The lock timeout, or a deadlock with a statement that takes its locks in another order: nothing was done.
    private static func isLockConflict(_ error: PostgresError) -> Bool {
        error.sqlState == "55P03" || error.sqlState == "40P01"
    }

    private func applyNext(before end: Moment) async throws -> Migration? {
        let migrations = migrations
        return try await pool.withTransaction(deadline: end - Moment.now) { transaction in
            // Who migrates meanwhile is waited for.
            _ = try transaction.execute(PostgresQuery(.sql("schema_patience"), [.text("0")]))
            _ = try transaction.execute(PostgresQuery(.sql("schema_lock")))
            _ = try transaction.execute(PostgresQuery(.sql("schema_patience"), [.text(Self.lockTimeout)]))
            try transaction.execute(script: Statement.sql("schema_bootstrap").text)
            let state = try Self.state(in: transaction, known: migrations)
            guard let next = state.pending.first else {
                if let problem = state.problem { throw SchemaError(problem: problem) }
                return nil
            }
            if let newest = state.applied.last, newest.version > next.version {
                throw SchemaError(
                    problem: "migration v\(next.version) is missing although v\(newest.version) was applied: "
                        + "install the version of reconciled that applied it")
            }
            try transaction.execute(script: next.text)
            let record = PostgresQuery(
                .sql("schema_record"),
                [.int4(next.version), .text(next.name), .text(next.checksum), .int4(next.oldest)])
            _ = try transaction.execute(record)
            return next
        }
    }

    private static func state(in transaction: borrowing PostgresTransaction, known: [Migration]) throws -> SchemaState {
        let exists = try transaction.query(PostgresQuery(.sql("schema_exists"))) { rows in
            try rows.first { row in try row.read(Bool.self) } ?? false
        }
        guard exists else { return SchemaState(applied: [], known: known) }
        let applied = try transaction.query(PostgresQuery(.sql("schema_versions"))) { rows in
            try rows.map { row in
                AppliedMigration(
                    version: try row.read(), name: try row.read(), checksum: try row.read(), oldest: try row.read(),
                    appliedAt: try row.read())
            }
        }
        return SchemaState(applied: applied, known: known)
    }
}

/// The schema is not one that this version can run on or migrate; says what to do.
public struct SchemaError: Error, Hashable, CustomStringConvertible {
    public var problem: String

    public init(problem: String) {
        self.problem = problem
    }

    public var description: String { problem }
}
