import Postgres
import Schema
import Timeline

/// What pollers did lately, kept for a day: written by each process every few seconds, read for charts over all of them.
public struct Samples: Sendable {
    let pool: PostgresPool

    public init(pool: PostgresPool) {
        self.pool = pool
    }

    /// What one process did for one watch since its last sample.
    public struct Sample: Hashable, Sendable {
        public var watch: String
        /// Checks that were settled.
        public var checks: Int64
        /// Those of them that failed.
        public var failed: Int64
        /// Counts by the bounds of `reconciled_lateness_seconds`, then those above all of them.
        public var lateness: [Int64]
        /// Rows that are due, over all pollers.
        public var due: Int64

        public init(watch: String, checks: Int64, failed: Int64, lateness: [Int64], due: Int64) {
            self.watch = watch
            self.checks = checks
            self.failed = failed
            self.lateness = lateness
            self.due = due
        }
    }

    /// What all pollers did within a step of time, over all watches.
    public struct Step: Hashable, Sendable {
        /// How long ago the step began.
        public var ago: Duration
        public var checks: Int64
        public var failed: Int64
        public var due: Int64
        public var lateness: [Int64]

        public init(ago: Duration, checks: Int64, failed: Int64, due: Int64, lateness: [Int64]) {
            self.ago = ago
            self.checks = checks
            self.failed = failed
            self.due = due
            self.lateness = lateness
        }
    }

    public func add(_ samples: [Sample], poller: String) async throws(PostgresError) {
        guard !samples.isEmpty else { return }
        _ = try await pool.execute(
            PostgresQuery(
                .sql("add_samples"),
                [
                    .text(poller), .textArray(samples.map(\.watch)), .int8Array(samples.map(\.checks)),
                    .int8Array(samples.map(\.failed)),
                    .textArray(samples.map { "{\($0.lateness.map(String.init).joined(separator: ","))}" }),
                    .int8Array(samples.map(\.due)),
                ]))
    }

    /// The steps of the last `span` in which something happened, oldest first.
    public func recent(_ span: Duration, step: Duration) async throws(PostgresError) -> [Step] {
        try await pool.query(PostgresQuery(.sql("read_samples"), [.interval(span), .interval(step)])) { rows in
            try rows.map { row in
                Step(
                    ago: try row.read(), checks: try row.read(), failed: try row.read(), due: try row.read(),
                    lateness: try row.read(String.self).split(separator: ",").compactMap { Int64($0) })
            }
        }
    }

    /// Removes what is older than a day.
    public func forgetOld() async throws(PostgresError) {
        while try await pool.execute(PostgresQuery(.sql("forget_old_samples"), [.int4(Self.batch)])) == Int(Self.batch)
        {}
    }

    private static let batch: Int32 = 10_000
}
