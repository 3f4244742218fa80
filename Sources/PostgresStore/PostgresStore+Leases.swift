import Postgres
import Reconciling
import Schema
import Timeline

extension PostgresStore {
    public func renew(_ leases: [HeldLease<String>], for duration: Duration) async throws -> Set<Int64> {
        let query = PostgresQuery(
            Table.renew,
            [
                .text(poller.id), .interval(duration), .textArray(leases.map(\.id)),
                .int8Array(leases.map(\.lease.token)),
            ])
        return try await captured { () async throws(PostgresError) in
            try await pool.query(query) { rows in Set(try rows.map { row in try row.read(Int64.self) }) }
        }.get()
    }

    public func handBack(_ leases: [HeldLease<String>]) async throws {
        try await run(
            PostgresQuery(
                Table.handBack,
                [
                    .text(poller.id), .textArray(leases.map(\.id)), .int8Array(leases.map(\.lease.token)),
                    // A text that no column takes must not keep the others' leases.
                    .textArray(leases.map { $0.error?.replacing("\0", with: "\u{FFFD}") }),
                ]))
    }

    public func journal(_ lease: HeldLease<String>, progress: String) async throws -> Bool {
        let query = PostgresQuery(
            Table.journal, [.text(poller.id), .text(lease.id), .int8(lease.lease.token), .jsonb(progress)])
        return try await captured { () async throws(PostgresError) in
            try await pool.query(query) { rows in rows.count == 1 }
        }.get()
    }

    public func register(lanes: [String]) async throws {
        try await run(PostgresQuery(.sql("register_lanes"), [.textArray(lanes)]))
    }

    public func pause(lane: String, reason: String) async throws {
        try await run(PostgresQuery(.sql("pause_lane"), [.text(lane), .text(nil), .text(reason)]))
    }

    public func resume(lane: String) async throws {
        try await run(PostgresQuery(.sql("resume_lane"), [.text(lane), .text(nil)]))
    }

    public func hold(lane: String, for duration: Duration) async throws {
        try await run(PostgresQuery(.sql("hold_lane"), [.text(lane), .interval(duration)]))
    }

    public func heartbeat(stopping: Bool) async throws {
        try await run(
            PostgresQuery(
                .sql("heartbeat_poller"),
                [
                    .text(poller.id), .text(poller.host), .int4(poller.processID), .text(poller.version),
                    .text(Table.watch), .bool(stopping),
                ]))
    }

    private func run(_ query: PostgresQuery) async throws {
        _ = try await captured { () async throws(PostgresError) in try await pool.execute(query) }.get()
    }
}
