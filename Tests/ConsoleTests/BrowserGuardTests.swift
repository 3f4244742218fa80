import Console
import Hummingbird
import Testing

@Suite struct BrowserGuardTests {
    /// A route that changes something, for whoever gets there.
    private struct Change: ConsoleRoutes {
        func add(to router: Router<ConsoleContext>) {
            router.group().add(middleware: RequireRole(.operator)).post("/change") { _, context in
                Response(status: .ok, body: .init(byteBuffer: .init(string: context.caller.name)))
            }
        }
    }

    @Test(arguments: [
        ("localhost:8080", 200), ("127.0.0.1", 200), ("127.9.9.9:1", 200), ("[::1]:8080", 200), ("LOCALHOST", 200),
        ("rebound.example", 421), ("127.0.0.1.example:80", 421), ("10.0.0.1", 421), ("localhost.example", 421),
    ])
    func withoutTokensOnlyThisMachinesNamesAreAnswered(host: String, status: UInt) async throws {
        try await withConsole { base in
            let metrics = try await ask(.GET, base + "/metrics", headers: [("host", host)])
            #expect(metrics.status == status)
            let probe = try await ask(.GET, base + "/healthz", headers: [("host", host)])
            #expect(probe.status == 200)
        }
    }

    /// The authority of the target counts, not the Host beside it.
    @Test(arguments: [
        ("http://rebound.example/metrics", 421), ("http://rebound.example:80/metrics?x=http://localhost/", 421),
        ("HTTP://localhost@rebound.example/metrics", 421),
        ("/metrics?x=http://rebound.example/", 200), ("http://127.0.0.1:1/metrics", 200),
    ])
    func theTargetsAuthorityCounts(target: String, status: Int) async throws {
        try await withConsole { base in
            let answer = try await exchange(
                base, [("GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", nil)])
            #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(answer)")
        }
    }

    @Test(arguments: ["/metrics", "http://localhost/metrics", "/healthz"])
    func twoHostsAreRefused(target: String) async throws {
        try await withConsole { base in
            let answer = try await exchange(
                base,
                [("GET \(target) HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\nConnection: close\r\n\r\n", nil)])
            #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
            #expect(answer.contains("application/problem+json"))
        }
    }

    @Test func anotherSitesPageChangesNothing() async throws {
        try await withConsole(routes: [Change()]) { base in
            for headers in [
                [("origin", "https://evil.example")], [("origin", "null")], [("sec-fetch-site", "cross-site")],
                [("sec-fetch-site", "same-site")], [("origin", "http://127.0.0.1:1")],
                [("origin", base), ("sec-fetch-site", "cross-site")],
            ] {
                #expect(try await ask(.POST, base + "/change", headers: headers).status == 403, "\(headers)")
            }
            // The last one came by a proxy that put its own name for us into Host.
            for headers in [
                [], [("origin", base)], [("origin", base), ("sec-fetch-site", "same-origin")],
                [("sec-fetch-site", "none")],
                [("origin", "https://ops.example"), ("sec-fetch-site", "same-origin")],
            ] {
                let changed = try await ask(.POST, base + "/change", headers: headers)
                #expect(changed.status == 200 && changed.body == "local", "\(headers)")
            }
        }
    }

    @Test func aRoleDoesWhatItMay() async throws {
        let tokens = AccessToken.Role.allCases.map { AccessToken(name: "\($0)-1", role: $0, secret: "t-\($0)") }
        try await withConsole(tokens: tokens, routes: [Change()]) { base in
            #expect(try await ask(.POST, base + "/change").status == 401)
            let refused = try await ask(.POST, base + "/change", headers: [("authorization", "Bearer t-viewer")])
            #expect(refused.status == 403 && refused.body.contains("operator"), "\(refused.body)")
            for role in ["operator", "admin"] {
                let changed = try await ask(.POST, base + "/change", headers: [("authorization", "Bearer t-\(role)")])
                #expect(changed.status == 200 && changed.body == "\(role)-1")
            }
        }
    }
}
