import NIOCore
import Outgoing
import TestSupport
import Testing
import Timeline

/// The client against servers that answer in every way. What faults mean to a gateway, its own tests say.
@Suite struct OutgoingClientTests {
    private static func response(_ body: String, headers: String = "") -> String {
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    private func failure(
        of result: Result<OutgoingResponse, OutgoingFailure>
    ) -> OutgoingFailure? {
        if case .failure(let failure) = result { failure } else { nil }
    }

    @Test func aURLIsSentAsItIsWritten() async throws {
        let targets = [
            "/bucket/a//b", "/bucket//a", "/bucket/a/", "/bucket/a%2Bb%20c%3Fd%23e%25", "/b/%C3%BC%E2%82%AC?uploads=",
            "/b/k?a=%2F&b=&c=~", "/b/a%2F..%2Fc", "/", "/b/'()!*",
        ]
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        try await withRawServer { request, out in
            continuation.yield(String(request.prefix { $0 != "\r\n" }))
            try await out.send(Self.response(""))
        } _: { baseURL, http in
            for target in targets {
                let result = await http.send(.init(url: baseURL + target), deadline: .now + .seconds(20))
                #expect(failure(of: result) == nil)
            }
        }
        continuation.finish()
        var seen: [String] = []
        for await line in lines { seen.append(line) }
        #expect(seen == targets.map { "GET \($0) HTTP/1.1" })
    }

    @Test func methodHeadersAndBodyArriveAndTheAnswerIsWhole() async throws {
        let result = try await withRawServer { request, out in
            let isRight =
                request.hasPrefix("PATCH /x HTTP/1.1\r\n") && request.lowercased().contains("\r\nx-a: 1\r\n")
                && request.lowercased().contains("\r\nhost: other.example:99\r\n")
                && request.hasSuffix("\r\n\r\nüber")
            try await out.send(Self.response(isRight ? "right" : "wrong: \(request)", headers: "X-B: 2\r\n"))
        } _: { baseURL, http in
            await http.send(
                .init(
                    method: "PATCH", url: baseURL + "/x",
                    headers: [(name: "x-a", value: "1"), (name: "host", value: "other.example:99")], body: "über"),
                deadline: .now + .seconds(20))
        }
        let response = try result.get()
        #expect(response.status == 200)
        #expect(String(decoding: response.body, as: UTF8.self) == "right")
        #expect(response.header("x-b") == "2")
    }

    @Test func aRefusedConnectionIsToldInWords() async throws {
        let result = try await withRawServer { _, _ in
        } _: { _, http in
            await http.send(.init(url: "http://127.0.0.1:1/"), deadline: .now + .seconds(20))
        }
        let problem = failure(of: result)?.problem(of: "gateway")
        #expect(problem == "The connection to the gateway failed: connection refused.")
    }

    @Test func aConnectionWithoutTLSIsToldInWords() async throws {
        let result = try await withRawServer(greeting: "HTTP/1.1 400 Bad Request\r\n\r\n") { _, _ in
        } _: { baseURL, http in
            await http.send(
                .init(url: "https" + baseURL.dropFirst("http".count)), deadline: .now + .seconds(20))
        }
        let problem = failure(of: result)?.problem(of: "gateway")
        #expect(problem == "The connection to the gateway failed: TLS failed (wrong version number).")
    }

    @Test func aCallBoundsItsOwnBody() async throws {
        try await withRawServer { _, out in
            try await out.send(Self.response(String(repeating: "a", count: 1_000)))
        } _: { baseURL, http in
            for (limit, expected) in [
                (1_000, nil), (999, OutgoingFailure.tooLarge(status: 200, bytesMax: 999)),
            ] {
                let result = await http.send(
                    .init(url: baseURL), deadline: .now + .seconds(20), bodyBytesMax: limit)
                #expect(failure(of: result) == expected)
            }
        }
    }

    @Test func aBodyIsReadAsItComes() async throws {
        let pieces = 200
        let count = try await withRawServer { _, out in
            try await out.send("HTTP/1.1 200 OK\r\ncontent-length: \(pieces * 65_536)\r\n\r\n")
            for _ in 0..<pieces { try await out.send(String(repeating: "a", count: 65_536)) }
        } _: { baseURL, http in
            try await http.read(.init(url: baseURL), deadline: .now + .seconds(20), into: 0) { count, head, bytes in
                #expect(head.status == 200)
                count += bytes.count
            }.get().1
        }
        #expect(count == pieces * 65_536)
    }

    @Test func aReaderMayStop() async throws {
        let result = try await withRawServer { _, out in
            try await out.send("HTTP/1.1 200 OK\r\n\r\n")
            while true { try await out.send(String(repeating: "a", count: 65_536)) }
        } _: { baseURL, http in
            await http.read(.init(url: baseURL), deadline: .now + .seconds(20), into: 0) {
                (count, _, bytes) throws(OutgoingFailure) in
                count += bytes.count
                guard count < 1_000_000 else { throw .tooLarge(status: 200, bytesMax: 1_000_000) }
            }
        }
        guard case .failure(.tooLarge) = result else { Issue.record("\(result)"); return }
    }

    @Test func heartbeatsKeepACallAliveAndSilenceEndsIt() async throws {
        // Twenty heartbeats last longer than the limit; the silence behind them does not.
        for isSilent in [false, true] {
            let result = try await withRawServer { _, out in
                try await out.send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
                for _ in 0..<20 {
                    try await out.send(" ")
                    try await Task.sleep(for: .milliseconds(40))
                }
                if isSilent { try await Task.sleep(for: .seconds(600)) }
            } _: { baseURL, http in
                await http.send(
                    .init(url: baseURL), deadline: .now + .seconds(60), idleLimit: .milliseconds(500))
            }
            #expect(failure(of: result) == (isSilent ? .timeout : nil))
        }
    }

    @Test func problemsNameThePeerAndNothingElse() {
        #expect(OutgoingFailure.timeout.problem(of: "store") == "The store did not answer in time.")
        #expect(
            OutgoingFailure.tooLarge(status: 200, bytesMax: 1 << 20).problem(of: "store")
                == "The store's answer is larger than 1 MiB.")
    }
}
