import Hummingbird
import Testing

@testable import Console

/// What HTTP/1 asks of a server, to the byte.
@Suite(.timeLimit(.minutes(1))) struct ProtocolRulesTests {
    /// A route whose answer has no length.
    private struct Streamed: ConsoleRoutes {
        func add(to router: Router<ConsoleContext>) {
            router.get("/streamed") { _, _ -> Response in
                Response(
                    status: .ok,
                    body: .init { writer in
                        for part in ["a", "b"] { try await writer.write(ByteBuffer(string: part)) }
                        try await writer.finish(nil)
                    })
            }
        }
    }

    @Test func anOldClientsAnswerEndsWithItsConnection() async throws {
        try await withConsole(routes: [Streamed()]) { base in
            for fields in ["", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n"] {
                let head = "HTTP/1.0\r\nHost: localhost\r\n\(fields)\r\n"
                let health = try await exchange(base, [("GET /healthz \(head)", nil)])
                #expect(health.hasPrefix("HTTP/1.0 200") && health.hasSuffix(#"{"status":"alive"}"#), "\(health)")
                let streamed = try await exchange(base, [("GET /streamed \(head)", nil)])
                #expect(streamed.hasPrefix("HTTP/1.0 200") && streamed.hasSuffix("\r\n\r\nab"), "\(streamed)")
                #expect(!streamed.lowercased().contains("transfer-encoding"), "\(streamed)")
            }
        }
    }

    @Test(arguments: ["close", "Close", "CLOSE", "te, close"])
    func whoAsksForItsEndGetsIt(connection: String) async throws {
        try await withConsole(routes: [Streamed()]) { base in
            let head = "HTTP/1.1\r\nHost: localhost\r\nConnection: \(connection)\r\n\r\n"
            let answer = try await exchange(base, [("GET /streamed \(head)", nil)])
            #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix("\r\n0\r\n\r\n"), "\(answer)")
        }
    }

    /// RFC 9112, 3.2; what came before HTTP/1.1 need not.
    @Test func aRequestNamesItsHost() async throws {
        try await withConsole { base in
            for target in ["/healthz", "http://localhost/healthz"] {
                let nameless = try await exchange(base, [("GET \(target) HTTP/1.1\r\nConnection: close\r\n\r\n", nil)])
                #expect(nameless.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(nameless)")
                #expect(nameless.contains(#""field":"host""#) && nameless.hasSuffix("}"), "\(nameless)")
                let old = try await exchange(base, [("GET \(target) HTTP/1.0\r\n\r\n", nil)])
                #expect(old.hasPrefix("HTTP/1.0 200") && old.hasSuffix(#"{"status":"alive"}"#), "\(old)")
            }
            // Whoever names nobody is let to the probes; an open listener's other pages are for this machine's names.
            let unnamed = try await exchange(base, [("GET /metrics HTTP/1.0\r\n\r\n", nil)])
            #expect(unnamed.hasPrefix("HTTP/1.0 421"), "\(unnamed)")
            let named = try await exchange(base, [("GET http://localhost/metrics HTTP/1.0\r\n\r\n", nil)])
            #expect(named.hasPrefix("HTTP/1.0 200"), "\(named)")
            let foreign = try await exchange(base, [("GET http://rebound.example/metrics HTTP/1.0\r\n\r\n", nil)])
            #expect(foreign.hasPrefix("HTTP/1.0 421"), "\(foreign)")
        }
    }

    /// * is much of what is harmless.
    @Test(arguments: [
        ("BREW / HTTP/1.1\r\n\r\n", "400 Bad Request"),
        ("PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nX: *\r\n\r\n", "431 Request Header Fields Too Large"),
        ("GET /* HTTP/1.1\r\n\r\n", "431 Request Header Fields Too Large"),
    ])
    func whatIsNoRequestIsToldSo(text: String, status: String) async throws {
        try await withConsole { base in
            let sent = text.replacing("*", with: String(repeating: "x", count: 100_000))
            let answer = try await exchange(base, [(sent, nil)])
            let code = status.prefix(3)
            #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"), "\(answer)")
            #expect(answer.lowercased().contains("content-type: application/problem+json\r\n"), "\(answer)")
            #expect(answer.contains(#""status":\#(code)"#) && answer.hasSuffix("}"), "\(answer)")
        }
    }
}
