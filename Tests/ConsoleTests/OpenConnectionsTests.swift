import Hummingbird
import NIOCore
import Testing

@testable import Console

/// Connections that stay open after their answer.
@Suite(.timeLimit(.minutes(1))) struct OpenConnectionsTests {
    /// A route that answers when its gate opens.
    private struct Gated: ConsoleRoutes {
        let entered = AsyncStream.makeStream(of: Void.self)
        let gate = AsyncStream.makeStream(of: Void.self)

        func add(to router: Router<ConsoleContext>) {
            router.get("/gated") { [entered, gate] _, _ -> Response in
                entered.continuation.yield()
                for await _ in gate.stream {}
                return Response(status: .ok)
            }
        }
    }

    @Test func thoseThatWaitKeepNobodyOutAndThoseAtWorkStay() async throws {
        var limits = RequestDeadlines.Limits()
        limits.connections = 8
        limits.waiting = .milliseconds(200)
        let gated = Gated()
        try await withConsole(routes: [gated], limits: limits) { base in
            async let answer = exchange(
                base, [("GET /gated HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", nil)])
            for await _ in gated.entered.stream { break }
            var waiting: [any Channel] = []
            for _ in 0..<20 {
                waiting.append(try await connection(base, sending: "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            }
            // It stands behind all of them, and there is room for 8.
            #expect(try await ask(.GET, base + "/healthz").status == 200)
            gated.gate.continuation.finish()
            let answered = try await answer
            #expect(answered.hasPrefix("HTTP/1.1 200"), "\(answered)")
            for channel in waiting { channel.close(promise: nil) }
        }
    }

    @Test func thoseThatWaitStayWhereThereIsRoom() async throws {
        var limits = RequestDeadlines.Limits()
        limits.connections = 8
        limits.waiting = .zero
        try await withConsole(limits: limits) { base in
            let asked = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
            let alive = #"{"status":"alive"}"#
            let answer = try await exchange(
                base, [(asked + "\r\n", alive), (asked + "Connection: close\r\n\r\n", nil)])
            #expect(answer.matches(of: /HTTP\/1\.1 200/).count == 2)
        }
    }
}
