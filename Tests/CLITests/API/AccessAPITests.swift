import JSON
import NIOHTTP1
import Testing

@testable import Console

/// Who may ask for what, and by which method.
@Suite struct AccessAPITests {
    @Test func eachRouteTakesItsRoleAndThoseAbove() async throws {
        let ranks = ["viewer": 0, "operator": 1, "admin": 2]
        try await APIScene.with { api in
            guard case .object(let paths) = api.document["paths"] else { throw Missing() }
            var asked = 0
            for path in paths {
                guard case .object(let operations) = path.value else { throw Missing() }
                for operation in operations {
                    let method = HTTPMethod(rawValue: operation.name.uppercased())
                    // Nothing is there: whoever may ask is told so, or that the body is missing.
                    let url = path.name.replacing("{id}", with: "none").replacing("{lane}", with: "none")
                        .replacing("{gateway}", with: "none")
                    let needed = operation.value["x-role"]?.string
                    // Who may follow the events hears no end of them.
                    let roles = [nil, "wrong"] + (url == "/v1/events" ? [] : ["viewer", "operator", "admin"])
                    for role in roles {
                        let status = try await api.ask(method, url, as: role).status
                        asked += 1
                        guard let needed else {
                            #expect(![401, 403].contains(status), "\(method) \(url) as \(role ?? "nobody"): \(status)")
                            continue
                        }
                        let rank = role.flatMap { ranks[$0] }
                        let expected: UInt? = rank == nil ? 401 : rank! < ranks[needed]! ? 403 : nil
                        if let expected {
                            #expect(status == expected, "\(method) \(url) as \(role ?? "nobody")")
                        } else {
                            #expect(![401, 403].contains(status), "\(method) \(url) as \(role ?? "nobody"): \(status)")
                        }
                    }
                }
            }
            #expect(asked > 100)
        }
    }

    @Test func changesNeedWhatDesignSays() async throws {
        let needed: [(method: String, path: String, role: String)] = [
            ("get", "/v1/orders", "viewer"), ("get", "/v1/uploads/{id}", "viewer"),
            ("get", "/v1/timers/{id}/history", "viewer"), ("get", "/v1/stats", "viewer"),
            ("get", "/v1/pollers", "viewer"), ("get", "/v1/lanes/{lane}", "viewer"),
            ("post", "/v1/orders/{id}/nudge", "operator"), ("post", "/v1/orders/{id}/resolve", "operator"),
            ("post", "/v1/lanes/{lane}/pause", "operator"), ("post", "/v1/lanes/{lane}/resume", "operator"),
            ("put", "/v1/orders/{id}", "admin"), ("delete", "/v1/timers/{id}", "admin"),
        ]
        try await APIScene.with { api in
            for (method, path, role) in needed {
                #expect(api.document["paths"]?[path]?[method]?["x-role"]?.string == role, "\(method) \(path)")
            }
        }
    }

    private static func visitor(of api: APIScene, as role: String) async throws -> DashboardVisitor {
        let stranger = DashboardVisitor(api)
        let signedIn = try await stranger.post("/sign-in", ["token": try #require(APIScene.tokens[role])])
        let cookie = try #require(signedIn.headers.first(name: "set-cookie")?.split(separator: ";").first)
        return DashboardVisitor(api, cookie: String(cookie))
    }

    /// An application may store what nobody reads to its end.
    @Test func anOddRowIsShownAmongTheOthers() async throws {
        try await APIScene.with { api in
            for id in ["odd", "even"] {
                #expect(try await api.ask(.PUT, "/v1/timers/\(id)", json: APIScene.timer).status == 201)
            }
            try await api.run(
                """
                UPDATE reconciled.timers
                SET metadata = ('{"a":' || repeat('[', 200) || repeat(']', 200) || '}')::jsonb
                WHERE id = 'odd'
                """)
            for role in ["viewer", "operator", "admin"] {
                let list = try await api.ask(.GET, "/v1/timers", as: role)
                #expect(list.status == 200 && list.body.contains("even"), "\(list.body)")
                #expect(try await api.ask(.GET, "/v1/timers/odd", as: role).status == 200)
                let visitor = try await Self.visitor(of: api, as: role)
                for path in ["/timers", "/timers/odd"] {
                    let page = try await visitor.get(path)
                    #expect(page.status == 200 && page.body.contains("odd"), "\(path): \(page.body)")
                }
            }
            let decision = #"{"status":"paused","note":"x"}"#
            #expect(try await api.ask(.POST, "/v1/timers/odd/resolve", as: "operator", json: decision).status == 200)
        }
    }

    /// A timer's call may carry a key in its address, in its body, and in a header of whatever name.
    @Test func whatMayBeASecretIsForAdmins() async throws {
        let timer = APIScene.timer.replacing("/tick", with: "/tick?key=k3y&k3y").replacing(
            "{", with: #"{"headers":{"X-Tenant":"k3y"},"body":"k3y","#)
        try await APIScene.with { api in
            #expect(try await api.ask(.PUT, "/v1/timers/t", json: timer).status == 201)
            for role in ["viewer", "operator"] {
                for path in ["/v1/timers", "/v1/timers/t"] {
                    let reply = try await api.ask(.GET, path, as: role)
                    #expect(reply.status == 200 && !reply.body.contains("k3y"), "\(reply.body)")
                    #expect(reply.body.contains("/tick?key=…&…") && reply.body.contains("X-Tenant"), "\(reply.body)")
                }
            }
            let decision = #"{"status":"paused","note":"x"}"#
            let resolved = try await api.ask(.POST, "/v1/timers/t/resolve", as: "operator", json: decision)
            #expect(resolved.json["status"]?.string == "paused" && !resolved.body.contains("k3y"), "\(resolved.body)")
            for path in ["/v1/timers", "/v1/timers/t"] {
                let reply = try await api.ask(.GET, path)
                #expect(reply.body.contains("/tick?key=k3y&k3y") && reply.body.matches(of: /k3y/).count == 4)
            }
            try await api.run("UPDATE reconciled.timers SET status = 'review', review_reason = 'POISON'")
            for (role, isShown) in [("viewer", false), ("operator", false), ("admin", true)] {
                let visitor = try await Self.visitor(of: api, as: role)
                for path in ["/timers", "/timers/t", "/review"] {
                    let page = try await visitor.get(path)
                    #expect(page.status == 200 && page.body.contains("/tick"), "\(path): \(page.body)")
                    #expect(page.body.contains("k3y") == isShown, "\(path) as \(role): \(page.body)")
                }
            }
        }
    }

    @Test func anotherMethodIsToldWhichOnesThereAre() async throws {
        try await APIScene.with { api in
            for (method, path, allowed) in [
                (HTTPMethod.PATCH, "/v1/orders/x", "DELETE, GET, HEAD, PUT"), (.POST, "/v1/orders", "GET, HEAD"),
                (.DELETE, "/v1/orders", "GET, HEAD"), (.GET, "/v1/orders/x/nudge", "POST"),
                (.OPTIONS, "/v1/lanes/x/pause", "POST"), (.TRACE, "/v1/stats", "GET, HEAD"),
                (.POST, "/openapi.json", "GET, HEAD"),
            ] {
                let reply = try await api.ask(method, path)
                #expect(reply.status == 405 && reply.headers["allow"] == [allowed], "\(method) \(path): \(reply)")
            }
            for path in ["/v1", "/v1/nope", "/v1/orders/x/y", "/v1/orders/x/history/z"] {
                #expect(try await api.ask(.GET, path).status == 404, "\(path)")
            }
            let head = try await api.ask(.HEAD, "/v1/orders")
            let get = try await api.ask(.GET, "/v1/orders")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.headers["content-length"] == get.headers["content-length"])
        }
    }

    /// An id that came out empty is not another path's.
    @Test func aPathWithAnEmptySegmentIsNotThere() async throws {
        try await APIScene.with { api in
            for (method, path) in [
                (HTTPMethod.PUT, "/v1/orders//x"), (.PUT, "//v1/orders/x"), (.GET, "//v1//orders"),
                (.POST, "/v1/orders//nudge"), (.GET, "//"), (.PATCH, "/v1/orders//?a=b"),
            ] {
                let reply = try await api.ask(method, path, json: method == .PUT ? APIScene.order : nil)
                #expect(reply.status == 404 && reply.type == "application/problem+json", "\(method) \(path): \(reply)")
            }
            #expect(try await api.values("SELECT id FROM reconciled.orders").isEmpty)
            #expect(try await api.ask(.GET, "/v1/orders?cursor=//").status != 404)
            // Probes are often written with a slash at the end.
            #expect(try await api.ask(.GET, "/healthz/").status == 200)
        }
    }

    @Test func requestsAreCountedByRouteAndNotByPath() async throws {
        try await APIScene.with { api in
            for id in ["a", "b", "c"] { _ = try await api.ask(.GET, "/v1/orders/\(id)") }
            for path in ["/x", "/y"] { _ = try await api.ask(.GET, path) }
            let text = api.registry.text()
            #expect(
                text.contains(
                    #"reconciled_http_requests_total{method="GET",path="/v1/orders/{id}",status="4xx"} 3"#))
            #expect(text.contains(#"reconciled_http_requests_total{method="GET",path="none",status="4xx"} 2"#))
            #expect(text.contains(#"reconciled_http_request_seconds_count{path="/v1/orders/{id}"} 3"#))
        }
    }

    private struct Missing: Error {}
}
