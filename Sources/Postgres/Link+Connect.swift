import CLibpq
import Glibc
import Logging
import Timeline

extension Link {
    /// Connects to the first host that takes us.
    static func connect(
        _ configuration: PostgresConfiguration, wakeup: Wakeup, logger: Logger, _ call: Call
    ) throws(PostgresError) -> Link {
        let target = try ConnectionTarget(configuration)
        var failures: [String] = []
        for attempt in target.attempts {
            do {
                let link = try connect(attempt, configuration, wakeup: wakeup, logger: logger, call)
                try link.begin(configuration, call)
                return link
            } catch {
                if error.code == .deadline {
                    failures.append("the deadline passed while connecting")
                    throw PostgresError(.deadline, message: failures.joined(separator: "; "))
                }
                guard error.code == .connection else { throw error }
                failures.append(target.redacted(error.message))
            }
        }
        throw PostgresError(.connection, message: failures.joined(separator: "; "))
    }

    private static func connect(
        _ options: [String: String], _ configuration: PostgresConfiguration, wakeup: Wakeup, logger: Logger,
        _ call: Call
    ) throws(PostgresError) -> Link {
        // libpq: zero or less waits without end, and one second is taken as two.
        let timeout = options["connect_timeout"].flatMap { Int64($0) }.map {
            $0 <= 0 ? nil : Duration.seconds(max($0, 2))
        }
        let limit = (timeout ?? configuration.connectTimeout).map { Moment.now + $0 } ?? .distantFuture
        guard let connection = unsafe start(options) else {
            throw PostgresError(.connection, message: "libpq has no memory for a connection")
        }
        // Owned from here on: a connection that failed has to be finished too.
        let link = unsafe Link(
            connection: connection, wakeup: wakeup, preparesStatements: configuration.preparesStatements, logger: logger
        )
        var wanted = Readiness.writable
        while true {
            guard unsafe PQstatus(connection) != CONNECTION_BAD else { throw link.lostError }
            // The socket may change from one poll to the next: libpq goes through a host's addresses.
            guard try link.wait(for: wanted, call, until: limit) != nil else {
                throw unsafe PostgresError(
                    .connection, message: "connecting to \(place(connection)) took longer than its timeout")
            }
            switch unsafe PQconnectPoll(connection) {
            case PGRES_POLLING_OK:
                unsafe PQsetnonblocking(connection, 1)
                return link
            case PGRES_POLLING_READING: wanted = .readable
            case PGRES_POLLING_WRITING: wanted = .writable
            default: throw link.lostError
            }
        }
    }

    private static func start(_ options: [String: String]) -> OpaquePointer? {
        // Arrays of C strings, ended by nil; strdup keeps them in place.
        var keywords: [UnsafePointer<CChar>?] = unsafe []
        var values: [UnsafePointer<CChar>?] = unsafe []
        for (keyword, value) in options {
            unsafe keywords.append(UnsafePointer(strdup(keyword)))
            unsafe values.append(UnsafePointer(strdup(value)))
        }
        defer {
            unsafe (keywords + values).forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) }
        }
        return unsafe PQconnectStartParams(keywords + [nil], values + [nil], 0)
    }

    private static func place(_ connection: OpaquePointer) -> String {
        let host = unsafe PQhost(connection).map { unsafe String(cString: $0) } ?? "?"
        let port = unsafe PQport(connection).map { unsafe String(cString: $0) } ?? "?"
        return "\"\(host)\", port \(port)"
    }

    private func begin(_ configuration: PostgresConfiguration, _ call: Call) throws(PostgresError) {
        if configuration.preparesStatements {
            // Under a server's or role's default of repeatable read, claims that meet would fail instead of skipping.
            // A session of PgBouncer's is shared, so there it must not be set.
            try run(
                script: "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED", name: "session",
                call)
        }
        let timeouts = [
            ("statement_timeout", configuration.statementTimeout), ("lock_timeout", configuration.lockTimeout),
        ]
        for case (let name, let timeout?) in timeouts {
            let milliseconds = max(1, min(timeout.wholeMilliseconds, Int64(Int32.max)))
            try run(script: "SET \(name) = \(milliseconds)", name: "session", call)
        }
    }
}
