import Console
import Synchronization
import Testing
import Timeline

@Suite struct ReadinessTests {
    /// A clock that stands until it is moved.
    final class Clock: Sendable {
        private let nanoseconds = Mutex<Int64>(0)
        var now: Moment { Moment(nanoseconds: nanoseconds.withLock { $0 }) }
        func advance(seconds: Int64) { nanoseconds.withLock { $0 += seconds * 1_000_000_000 } }
    }

    @Test func eachPartThatIsSilentIsNamed() {
        let clock = Clock()
        let readiness = Readiness(watches: ["orders"], silenceMax: .seconds(30), now: { clock.now })
        let metrics = EngineMetrics(registry: MetricsRegistry(), readiness: readiness)
        #expect(readiness.problems.map(\.code) == ["starting", "poller_not_claiming"])

        readiness.schemaVerified()
        readiness.heartbeatWritten(watch: "orders")
        metrics.roundFinished(watch: "orders", claimed: 0, settled: 0, duration: .zero)
        #expect(readiness.problems.isEmpty)

        clock.advance(seconds: 31)
        #expect(
            readiness.problems == [
                .init(code: "poller_not_claiming", detail: "orders: no round for 31s"),
                .init(code: "heartbeat_stale", detail: "orders: no heartbeat for 31s"),
            ])

        readiness.heartbeatWritten(watch: "orders")
        metrics.roundFinished(watch: "orders", claimed: 0, settled: 0, duration: .zero)
        readiness.databaseFailed("connection refused")
        #expect(readiness.problems == [.init(code: "database_unreachable", detail: "connection refused")])
        readiness.databaseAnswered()
        #expect(readiness.problems.isEmpty)

        readiness.schemaRejected("version 9 is newer")
        #expect(readiness.problems == [.init(code: "schema_unknown", detail: "version 9 is newer")])
    }

    @Test func aProcessWithoutPollersNeedsNoHeartbeat() {
        let clock = Clock()
        let readiness = Readiness(watches: [], now: { clock.now })
        readiness.schemaVerified()
        clock.advance(seconds: 3_600)
        #expect(readiness.problems.isEmpty)
    }
}
