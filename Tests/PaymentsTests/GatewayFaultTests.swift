import JSON
import NIOCore
import Outgoing
import TestSupport
import Testing
import Timeline

@testable import Payments

/// Servers that do what no gateway should: every such answer is UNKNOWN, in time.
@Suite struct GatewayFaultTests {
    private static func gateway(_ baseURL: String, _ http: OutgoingClient) -> HTTPGateway {
        HTTPGateway(
            .init(
                url: OrderTemplate(baseURL + "/orders/{id}", .url), state: JSONPath("$.status")!,
                states: ["paid": .paid, "open": .notPaidYet], amount: JSONPath("$.amount")!,
                currency: JSONPath("$.currency")!, isAuthenticated: true),
            http: http)
    }

    private func ask(
        within limit: Duration = .seconds(20),
        _ answer: @escaping @Sendable (String, NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws -> Void
    ) async throws -> Answer {
        try await withRawServer(answer) { baseURL, http in
            await Self.gateway(baseURL, http).ask(Sample.order(), deadline: .in(limit))
        }
    }

    private static let whole = #"{"status":"paid","amount":1999,"currency":"EUR"}"#

    private static func response(_ status: String, _ body: String, headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\ncontent-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    @Test func aSoundAnswerIsRead() async throws {
        let answer = try await ask { _, out in try await out.send(Self.response("200 OK", Self.whole)) }
        #expect(answer.state == .paid)
        #expect(answer.amountReceived == .value(1_999))
    }

    @Test func aCutBodyIsAConnectionFailure() async throws {
        let answer = try await ask { _, out in
            try await out.send("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + Self.whole)
        }
        #expect(answer.failure?.kind == .connection)
    }

    @Test func aBodyCutWithoutALengthIsUnreadable() async throws {
        let answer = try await ask { _, out in
            try await out.send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + Self.whole.dropLast(4))
        }
        #expect(answer.failure?.kind == .unreadable)
    }

    @Test(arguments: [true, false]) func aBodyBeyondOneMebibyteIsNotRead(isAnnounced: Bool) async throws {
        let answer = try await ask { _, out in
            let size = OutgoingClient.bodyBytesMax + 1
            let length = isAnnounced ? "content-length: \(size)\r\n" : ""
            try await out.send("HTTP/1.1 200 OK\r\nconnection: close\r\n\(length)\r\n")
            for _ in 0..<65 { try await out.send(String(repeating: " ", count: 16_384)) }
        }
        #expect(answer.failure?.kind == .unreadable)
        #expect(answer.failure?.problem.contains("1 MiB") == true)
    }

    @Test func aDribbledAnswerEndsAtTheDeadline() async throws {
        let answer = try await ask(within: .milliseconds(300)) { _, out in
            try await out.send("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{")
            while true {
                try await out.send(" ")
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        #expect(answer.failure?.kind == .timeout)
        guard case .failed = answer.laneSignal else { Issue.record("a timeout counts for the lane"); return }
    }

    @Test func dribbledHeadersEndAtTheDeadline() async throws {
        let answer = try await ask(within: .milliseconds(300)) { _, out in
            try await out.send("HTTP/1.1 200 OK\r\n")
            while true {
                try await out.send("x: y\r\n")
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        #expect(answer.failure?.kind == .timeout)
    }

    @Test func silenceEndsAtTheDeadline() async throws {
        let answer = try await ask(within: .milliseconds(200)) { _, _ in try await Task.sleep(for: .seconds(600)) }
        #expect(answer.failure?.kind == .timeout)
    }

    @Test func cancellationBeforeTheDeadlineIsNoFailureOfTheGateway() async throws {
        let (asked, continuation) = AsyncStream.makeStream(of: Void.self)
        let answer = try await withRawServer { _, _ in
            continuation.yield()
            try await Task.sleep(for: .seconds(600))
        } _: { baseURL, http in
            await withTaskGroup(of: Answer.self) { group in
                group.addTask { await Self.gateway(baseURL, http).ask(Sample.order(), deadline: .in(.seconds(600))) }
                for await _ in asked { break }
                group.cancelAll()
                return await group.next()
            }
        }
        #expect(answer?.failure?.kind == .interrupted)
        #expect(answer?.laneSignal == .silent)
    }

    @Test func headersWithoutEndAreRefused() async throws {
        let answer = try await ask { _, out in
            try await out.send("HTTP/1.1 200 OK\r\n")
            for number in 0..<200_000 { try await out.send("x-\(number): \(String(repeating: "a", count: 1_000))\r\n") }
        }
        #expect(answer.state == .unknown)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}", "HTTP/1.1 banana\r\n\r\n", "",
    ])
    func whatIsNotHTTPIsUnknown(text: String) async throws {
        let answer = try await ask { _, out in try await out.send(text) }
        #expect(answer.state == .unknown)
        #expect(answer.failure != nil)
    }

    @Test(arguments: [
        "", "<html></html>", "null", "[]", "{}", "{\"status\":null}", "{\"status\":\"paid\"", "\u{FEFF}{}",
        #"{"status":"paid","status":"open"}"#, #"{"status":"newborn"}"#, #"{"status":{"paid":1}}"#,
        String(repeating: "[", count: 100_000),
    ])
    func aBodyThatSaysNothingIsUnreadable(body: String) async throws {
        let answer = try await ask { _, out in try await out.send(Self.response("200 OK", body)) }
        #expect(answer.failure?.kind == .unreadable)
        #expect(answer.laneSignal == .answered)
    }

    @Test func bytesThatAreNotUTF8AreUnreadable() async throws {
        let answer = try await ask { _, out in
            var bytes = ByteBuffer(string: "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"status\":\"pa")
            bytes.writeBytes([0xFF, 0xFE])
            bytes.writeString("id\"}")
            try await out.write(bytes)
        }
        #expect(answer.failure?.kind == .unreadable)
    }

    @Test func aRedirectIsNotFollowed() async throws {
        let answer = try await withRawServer { _, out in
            try await out.send(Self.response("200 OK", Self.whole))
        } _: { elsewhere, _ in
            try await ask { _, out in
                try await out.send(
                    Self.response("302 Found", Self.whole, headers: "location: \(elsewhere)/orders/A-1\r\n"))
            }
        }
        #expect(answer.failure?.kind == .rejected)
    }

    @Test(arguments: [
        ("429 Too Many Requests", AnswerFailure.Kind.throttled), ("500 Oops", .server), ("503 Busy", .server),
        ("400 Bad Request", .rejected), ("409 Conflict", .rejected), ("424 Failed Dependency", .rejected),
    ])
    func otherStatusesAreFailures(status: String, kind: AnswerFailure.Kind) async throws {
        let answer = try await ask { _, out in try await out.send(Self.response(status, Self.whole)) }
        #expect(answer.state == .unknown)
        #expect(answer.failure?.kind == kind)
    }

    @Test(arguments: ["401 Unauthorized", "403 Forbidden"])
    func refusedCredentialsAreAConfigurationError(status: String) async throws {
        let answer = try await ask { _, out in try await out.send(Self.response(status, Self.whole)) }
        #expect(answer.state == .configError)
        guard case .misconfigured = answer.laneSignal else { Issue.record("the lane does not know"); return }
    }

    @Test func retryAfterIsPassedOn() async throws {
        let headers = [
            "retry-after: 7\r\n",
            """
            date: Mon, 23 Nov 2026 10:00:00 GMT\r\nretry-after: Mon, 23 Nov 2026 10:00:07 GMT\r\n
            """,
        ]
        for header in headers {
            let answer = try await ask { _, out in
                try await out.send(Self.response("429 Slow", "", headers: header))
            }
            #expect(answer.laneSignal == .failed(retryAfter: .seconds(7)))
        }
    }

    @Test func notFoundWithoutAStateProvesNothing() async throws {
        for body in ["", "not here", #"{"message":"no such order"}"#] {
            let answer = try await ask { _, out in try await out.send(Self.response("404 Not Found", body)) }
            #expect(answer.state == .notFound)
            #expect(!answer.authenticated)
        }
        let named = try await ask { _, out in
            try await out.send(Self.response("404 Not Found", #"{"status":"open"}"#))
        }
        #expect(named.state == .notPaidYet)
    }

    @Test func aRefusedConnectionIsAConnectionFailure() async throws {
        let free = try await withRawServer { _, _ in
        } _: { baseURL, _ in
            baseURL
        }
        let http = OutgoingClient()
        let answer = await Self.gateway(free, http).ask(Sample.order(), deadline: .in(.seconds(20)))
        try await http.shutdown()
        #expect(answer.failure?.kind == .connection)
        #expect(answer.laneSignal == .failed(retryAfter: nil))
    }

    @Test func aDeadlineThatHasPassedAsksNobody() async throws {
        let http = OutgoingClient()
        let answer = await Self.gateway("http://127.0.0.1:1", http).ask(Sample.order(), deadline: .in(.seconds(-1)))
        try await http.shutdown()
        #expect(answer.failure?.kind == .timeout)
    }

    @Test func anIdIsOneSegmentOfThePath() async throws {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        try await withRawServer { request, out in
            continuation.yield(String(request.prefix { $0 != "\r\n" }))
            try await out.send(Self.response("200 OK", Self.whole))
        } _: { baseURL, http in
            var order = Sample.order()
            order.id = "a/../b?c=d#e %ü\""
            _ = await Self.gateway(baseURL, http).ask(order, deadline: .in(.seconds(20)))
            order.id = ".."
            let answer = await Self.gateway(baseURL, http).ask(order, deadline: .in(.seconds(20)))
            #expect(answer.failure?.kind == .unaskable)
        }
        continuation.finish()
        var seen: [String] = []
        for await line in lines { seen.append(line) }
        #expect(seen == ["GET /orders/a%2F..%2Fb%3Fc%3Dd%23e%20%25%C3%BC%22 HTTP/1.1"])
    }
}
