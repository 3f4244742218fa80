import AsyncHTTPClient
import Console
import Logging
import NIOCore
import Testing

@Suite struct ConsoleServerTests {
    private let readiness = Readiness(watches: [])
    private let registry = MetricsRegistry()

    /// Runs a server on a free port for as long as `body` takes.
    private func withServer(
        tokens: [AccessToken] = [], _ body: @escaping @Sendable (_ base: String) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = ConsoleServer(
            host: "127.0.0.1", port: 0, tokens: tokens, registry: registry, readiness: readiness, logger: logger,
            onRunning: { port.yield($0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            group.addTask {
                for await port in ports {
                    #expect(port > 0)
                    try await body("http://127.0.0.1:\(port)")
                    return
                }
            }
            try await group.next()
            group.cancelAll()
            while await group.nextResult() != nil {}
        }
    }

    private static func get(
        _ url: String, headers: [(String, String)] = []
    ) async throws -> (status: UInt, type: String, body: String) {
        var request = HTTPClientRequest(url: url)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let body = try await response.body.collect(upTo: 1 << 20)
        return (response.status.code, response.headers.first(name: "content-type") ?? "", String(buffer: body))
    }

    @Test func metricsAndProbesAreServed() async throws {
        registry.counter("x_total", help: "X.").increment()
        let readiness = readiness
        try await withServer { base in
            let metrics = try await Self.get(base + "/metrics")
            #expect(metrics.status == 200)
            #expect(metrics.type == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.body.contains("# TYPE x_total counter\nx_total 1\n"))

            let health = try await Self.get(base + "/healthz")
            #expect(health.status == 200 && health.body == #"{"status":"alive"}"#)

            let starting = try await Self.get(base + "/readyz")
            #expect(starting.status == 503)
            #expect(starting.type == "application/json")
            #expect(
                starting.body
                    == #"{"ready":false,"reasons":[{"code":"starting","detail":"the schema was not verified yet"}]}"#)
            readiness.schemaVerified()
            let ready = try await Self.get(base + "/readyz")
            #expect(ready.status == 200 && ready.body == #"{"ready":true,"reasons":[]}"#)

            let missing = try await Self.get(base + "/nowhere")
            #expect(missing.status == 404 && missing.type == "application/problem+json")
            #expect(missing.body.contains(#""status":404"#))
        }
    }

    @Test func metricsNeedATokenWhereThereIsOne() async throws {
        let tokens = [
            AccessToken(name: "ops", role: .admin, secret: "s3cret"),
            AccessToken(name: "scraper", role: .viewer, secret: "other"),
        ]
        try await withServer(tokens: tokens) { base in
            for presented in [
                nil, "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cretx", "Basic s3cret", "Bearer S3CRET",
            ] {
                let headers = presented.map { [("authorization", $0)] } ?? []
                let refused = try await Self.get(base + "/metrics", headers: headers)
                #expect(refused.status == 401, "\(presented ?? "nothing")")
                #expect(refused.type == "application/problem+json")
            }
            for presented in ["Bearer s3cret", "bearer other"] {
                #expect(try await Self.get(base + "/metrics", headers: [("authorization", presented)]).status == 200)
            }
            #expect(try await Self.get(base + "/healthz").status == 200)
            #expect(try await Self.get(base + "/readyz").status == 503)
        }
    }

    @Test func aHugeHeadIsRefused() async throws {
        try await withServer { base in
            let status = try? await Self.get(
                base + "/healthz", headers: [("x", String(repeating: "a", count: 1 << 20))]
            ).status
            #expect(status != 200)
            let after = try await Self.get(base + "/healthz")
            #expect(after.status == 200)
        }
    }
}
