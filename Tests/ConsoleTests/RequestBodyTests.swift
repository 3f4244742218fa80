import Hummingbird
import Testing

@testable import Console

/// How a request's body is taken.
@Suite(.timeLimit(.minutes(1))) struct RequestBodyTests {
    /// Answers with the body that it is sent.
    private struct Echo: ConsoleRoutes {
        static let bytesMax = 16

        func add(to router: Router<ConsoleContext>) {
            let operation = APIOperation(
                .put, "/echo", role: nil, "Echo.", body: .init(schema: "{}", bytesMax: Self.bytesMax), answers: [])
            let route = APIRoute(operation: operation) { request in
                Response(status: .ok, body: .init(byteBuffer: .init(bytes: try await request.bytes())))
            }
            route.add(to: router)
        }
    }

    private static let head = "PUT /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"

    @Test(arguments: ["100-continue", "100-Continue"])
    func whoWaitsToBeAskedForTheBodyIsAsked(expect: String) async throws {
        try await withConsole(routes: [Echo()]) { base in
            let head = Self.head + "Expect: \(expect)\r\nContent-Length: "
            let taken = try await exchange(
                base, [(head + "2\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"), ("ab", nil)])
            #expect(taken.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), "\(taken)")
            #expect(taken.hasSuffix("\r\n\r\nab"), "\(taken)")
            // A body that will not be taken is not asked for.
            let refused = try await exchange(base, [(head + "\(Echo.bytesMax + 1)\r\n\r\n", nil)])
            #expect(refused.hasPrefix("HTTP/1.1 413"), "\(refused)")
        }
    }

    @Test(arguments: [("gzip", 415), ("x, identity", 415), ("identity", 200), ("Identity", 200)])
    func aBodyIsTakenUnencoded(encoding: String, status: UInt) async throws {
        try await withConsole(routes: [Echo()]) { base in
            let reply = try await ask(.PUT, base + "/echo", headers: [("content-encoding", encoding)], body: "ab")
            #expect(reply.status == status, "\(reply)")
            guard status == 415 else { return }
            #expect(reply.type == "application/problem+json" && reply.body.contains(#""field":"content-encoding""#))
            #expect(reply.headers["accept-encoding"] == ["identity"])
        }
    }

    @Test func whoDoesNotWaitIsNotAsked() async throws {
        try await withConsole(routes: [Echo()]) { base in
            let taken = try await exchange(base, [(Self.head + "Content-Length: 2\r\n\r\nab", nil)])
            #expect(taken.hasPrefix("HTTP/1.1 200") && taken.hasSuffix("\r\n\r\nab"), "\(taken)")
        }
    }
}
