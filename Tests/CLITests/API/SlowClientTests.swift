import NIOCore
import NIOPosix
import Testing

@testable import Console

/// Clients that do not do their part hold nothing for long.
@Suite(.timeLimit(.minutes(2))) struct SlowClientTests {
    private static let impatient = RequestDeadlines.Limits(
        firstHead: .milliseconds(300), request: .milliseconds(300), rest: .milliseconds(300),
        reading: .milliseconds(300))

    /// What came until the other end closed, after these pieces were sent. The pieces come without a pause, the end does not.
    private static func answer(
        _ api: APIScene, to pieces: [String], afterwards: @escaping @Sendable () async throws -> Void = {}
    ) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: api.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            for piece in pieces { try await outbound.write(ByteBuffer(string: piece)) }
            try await afterwards()
            var answer = ""
            do {
                for try await part in inbound { answer += String(buffer: part) }
            } catch is IOError {
                // Closed with something unread on either side.
            }
            return answer
        }
    }

    private static func head(_ request: String, _ fields: String = "") -> String {
        "\(request) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a-secret\r\n\(fields)\r\n"
    }

    private static let put = head("PUT /v1/orders/slow", "Content-Type: application/json\r\nContent-Length: 100\r\n")

    @Test(arguments: [
        [], ["GET /healthz HT"], ["GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-"], [put], [put + "{\"gateway\":"],
        [head("PUT /v1/orders/x", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") + "5\r\n{"],
    ])
    func aRequestThatDoesNotEndIsClosed(pieces: [String]) async throws {
        try await APIScene.with(limits: Self.impatient) { api in
            let answer = try await Self.answer(api, to: pieces)
            #expect(!answer.hasPrefix("HTTP/1.1 2"))
            #expect(try await api.values("SELECT id FROM reconciled.orders").isEmpty)
            #expect(try await api.ask(.GET, "/healthz").status == 200)
        }
    }

    @Test func aBodyThatNobodyReadsIsNotWaitedFor() async throws {
        try await APIScene.with(limits: Self.impatient) { api in
            let refused = try await Self.answer(
                api,
                to: [
                    "PUT /v1/orders/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        + "Content-Length: 1000000000\r\n\r\n", String(repeating: "x", count: 100_000),
                ])
            #expect(refused.hasPrefix("HTTP/1.1 401"))
            let tooLarge = try await Self.answer(
                api,
                to: [
                    Self.head("PUT /v1/orders/x", "Content-Type: application/json\r\nContent-Length: 1000000000\r\n")
                ])
            #expect(tooLarge.hasPrefix("HTTP/1.1 413"))
            // Without a length it is counted while it comes.
            let chunk = "10000\r\n\(String(repeating: "x", count: 65_536))\r\n"
            let endless = try await Self.answer(
                api,
                to: [Self.head("PUT /v1/orders/x", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")]
                    + Array(repeating: chunk, count: 20))
            #expect(endless.hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test func anAnswerThatIsNotReadIsGivenUp() async throws {
        try await APIScene.with(limits: Self.impatient) { api in
            try await api.run(
                """
                INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, next_check_at, metadata)
                SELECT n::text, 'trial', 1, 'EUR', NULL, jsonb_build_object('x', repeat('x', 10000))
                FROM generate_series(1, 400) AS n
                """)
            let asked = 20
            let request = Self.head("GET /v1/orders?limit=400")
            let answer = try await Self.answer(api, to: Array(repeating: request, count: asked)) {
                // It sends no more: what it was sent last lies unread until it was given up.
                try await eventually("it is given up") {
                    let before = Self.answered(api)
                    try await Task.sleep(for: .milliseconds(700))
                    return before > 0 && before == Self.answered(api)
                }
            }
            #expect(answer.matches(of: /HTTP\/1\.1 200/).count < asked)
            #expect(try await api.ask(.GET, "/healthz").status == 200)
        }
    }

    private static func answered(_ api: APIScene) -> Double {
        api.registry.counter(
            "reconciled_http_requests_total", help: "",
            labels: [("method", "GET"), ("path", "/v1/orders"), ("status", "2xx")]
        ).value
    }

    @Test func whatIsNoHTTPIsRefused() async throws {
        try await APIScene.with(limits: Self.impatient) { api in
            for garbage in [
                "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                "BREW /x HTTP/1.1\r\n\r\n",
            ] {
                let answer = try await Self.answer(api, to: [garbage])
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(garbage)")
            }
            // An id that is no text.
            for id in ["%FF", "%zz", "%", "a%C3"] {
                for request in ["GET /v1/orders/\(id)", "DELETE /v1/orders/\(id)", "POST /v1/orders/\(id)/nudge"] {
                    let answer = try await Self.answer(api, to: [Self.head(request, "Connection: close\r\n")])
                    #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains(#""field":"id""#), "\(request)")
                }
            }
            #expect(try await api.ask(.GET, "/healthz").status == 200)
        }
    }
}
