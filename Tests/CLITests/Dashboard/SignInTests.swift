import Foundation
import TestSupport
import Testing

@testable import Console
@testable import ReconciledCLI

/// Signing in, and where it leads.
@Suite struct SignInTests {
    @Test(arguments: [
        ("/orders/a%2F1?x=1", "/orders/a%2F1?x=1"), ("/", "/"), ("//evil.example", "/"), ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"), ("/\n/evil.example", "/"), ("/\r\n/evil.example", "/"), ("/ /evil.example", "/"),
        ("https://evil.example", "/"), ("/\u{a0}/x", "/"), ("/sign-in", "/"), ("", "/"),
    ])
    func oneComesBackToAPageOfOursOnly(back: String, page: String) async throws {
        try await APIScene.with { scene in
            let reply = try await DashboardVisitor(scene).post(
                "/sign-in", ["token": "v-secret", "back": back], headers: [("origin", scene.base)])
            #expect((300..<400).contains(reply.status) && reply.headers.first(name: "location") == page, "\(reply)")
        }
    }

    /// The pages' link to the metrics works for who signed in; the cookie opens nothing of the API.
    @Test func theCookieOpensTheMetricsToo() async throws {
        try await APIScene.with { scene in
            var visitor = DashboardVisitor(scene)
            #expect(try await visitor.get("/metrics").status == 401)
            let signedIn = try await visitor.post("/sign-in", ["token": "v-secret"])
            let cookie = try #require(signedIn.headers.first(name: "set-cookie")?.split(separator: ";").first)
            visitor.cookie = String(cookie)
            #expect(try await visitor.get("/metrics").status == 200)
            #expect(try await visitor.get("/v1/lanes").status == 401)
            visitor.cookie = String(cookie.dropLast()) + (cookie.hasSuffix("0") ? "1" : "0")
            #expect(try await visitor.get("/metrics").status == 401)
        }
    }
}
