import Console
import Testing

@Suite struct ConsoleServerTests {
    private let readiness = Readiness(watches: [])
    private let registry = MetricsRegistry()

    @Test func metricsAndProbesAreServed() async throws {
        registry.counter("x_total", help: "X.").increment()
        let readiness = readiness
        try await withConsole(registry: registry, readiness: readiness) { base in
            let metrics = try await ask(.GET, base + "/metrics")
            #expect(metrics.status == 200)
            #expect(metrics.type == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.body.contains("# TYPE x_total counter\nx_total 1\n"))

            let health = try await ask(.GET, base + "/healthz")
            #expect(health.status == 200 && health.body == #"{"status":"alive"}"#)

            let starting = try await ask(.GET, base + "/readyz")
            #expect(starting.status == 503)
            #expect(starting.type == "application/json")
            #expect(
                starting.body
                    == #"{"ready":false,"reasons":[{"code":"starting","detail":"the schema was not verified yet"}]}"#)
            readiness.schemaVerified()
            let ready = try await ask(.GET, base + "/readyz")
            #expect(ready.status == 200 && ready.body == #"{"ready":true,"reasons":[]}"#)

            let missing = try await ask(.GET, base + "/nowhere")
            #expect(missing.status == 404 && missing.type == "application/problem+json")
            #expect(missing.body.contains(#""status":404"#))
        }
    }

    @Test func metricsNeedATokenWhereThereIsOne() async throws {
        let tokens = [
            AccessToken(name: "ops", role: .admin, secret: "s3cret"),
            AccessToken(name: "scraper", role: .viewer, secret: "other"),
        ]
        try await withConsole(tokens: tokens, registry: registry, readiness: readiness) { base in
            for presented in [
                nil, "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cretx", "Basic s3cret", "Bearer S3CRET",
            ] {
                let headers = presented.map { [("authorization", $0)] } ?? []
                let refused = try await ask(.GET, base + "/metrics", headers: headers)
                #expect(refused.status == 401, "\(presented ?? "nothing")")
                #expect(refused.type == "application/problem+json")
            }
            for presented in ["Bearer s3cret", "bearer other"] {
                #expect(try await ask(.GET, base + "/metrics", headers: [("authorization", presented)]).status == 200)
            }
            #expect(try await ask(.GET, base + "/healthz").status == 200)
            #expect(try await ask(.GET, base + "/readyz").status == 503)
        }
    }

    @Test func aHugeHeadIsRefused() async throws {
        try await withConsole(registry: registry, readiness: readiness) { base in
            let status = try? await ask(
                .GET, base + "/healthz", headers: [("x", String(repeating: "a", count: 1 << 20))]
            ).status
            #expect(status != 200)
            let after = try await ask(.GET, base + "/healthz")
            #expect(after.status == 200)
        }
    }
}
