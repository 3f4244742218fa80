import Synchronization
import Testing
import Timeline

@testable import Console

@Suite struct SharedReadingTests {
    private struct Broken: Error {}

    /// A clock that is moved by hand, and how often was read.
    private final class Source: Sendable {
        let state = Mutex((now: Moment.now, reads: 0, fails: false))
        var now: Moment { state.withLock { $0.now } }
        var reads: Int { state.withLock { $0.reads } }

        func pass(_ time: Duration) { state.withLock { $0.now = $0.now + time } }

        /// Takes a second.
        func read() throws -> String {
            try state.withLock { state in
                state.reads += 1
                state.now = state.now + .seconds(1)
                if state.fails { throw Broken() }
                return "\(state.reads)"
            }
        }
    }

    @Test func whatTookLongIsKeptForLong() async throws {
        let source = Source()
        let reading = SharedReading(read: { try source.read() }, now: { source.now })
        #expect(try await reading.value().text == "1")
        source.pass(.seconds(19))
        #expect(try await reading.value().text == "1")
        source.pass(.seconds(1))
        #expect(try await reading.value().text == "2")
    }

    @Test func aFailureIsToldToAllWhoAskSoonAfter() async throws {
        let source = Source()
        source.state.withLock { $0.fails = true }
        let reading = SharedReading(read: { try source.read() }, now: { source.now })
        for _ in 0..<5 { await #expect(throws: Broken.self) { try await reading.value() } }
        #expect(source.reads == 1)
        source.state.withLock { $0.fails = false }
        source.pass(.seconds(1))
        #expect(try await reading.value().text == "2")
    }
}
