import AsyncHTTPClient
import Foundation
import JSON
import Logging
import NIOCore
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@testable import Console
@testable import ReconciledCLI

/// The HTTP interface as `run` serves it, over a database of its own. Nothing polls: rows stay as they were made.
struct APIScene: Sendable {
    struct Reply: Sendable {
        var status: UInt
        var headers: HTTPHeaders
        var body: String

        var type: String { headers.first(name: "content-type") ?? "" }
        var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
        /// Of a problem: the field that it names.
        var field: String? { json["field"]?.string }
    }

    static let order =
        #"{"gateway":"trial","amount_minor":1999,"currency":"EUR","next_check_at":"2099-01-01T00:00:00Z"}"#
    static let timer = #"{"every":"1h","url":"https://shop.example/tick","next_check_at":"2099-01-01T00:00:00Z"}"#
    static let tokens = ["viewer": "v-secret", "operator": "o-secret", "admin": "a-secret"]

    let base: String
    let port: Int
    let pool: PostgresPool
    let registry: MetricsRegistry
    let router: [String]
    let document: JSONValue

    static let yaml = """
        http: { tokens: [{ name: vera, role: viewer, token: v-secret }, { name: otto, role: operator, token: o-secret },
                         { name: ada, role: admin, token: a-secret }] }
        gateways:
          trial: { kind: fixed, state: NOT_PAID_YET }
          alipay: { kind: alipay, appId: "1", privateKey: k, alipayPublicKey: k }
          wechat: { kind: wechatpay, mchId: "1", appId: "1", serialNo: "1", privateKey: k, apiV3Key: k }
        stores: { media: { kind: directory, chunks: /tmp/none/chunks, target: /tmp/none/files } }
        watches: { timers: { allowedHosts: [shop.example] } }
        """

    static func with(
        yaml: String = Self.yaml, limits: RequestDeadlines.Limits = .init(),
        _ body: @escaping @Sendable (APIScene) async throws -> Void
    ) async throws {
        try await withTestDatabase { database in
            let configuration = try Configuration(yaml: yaml, fileName: "r.yaml", environment: [:])
            let process = PollerProcess(
                configuration: configuration, url: database.url, migrates: false, replacing: nil, logger: testLogger)
            let (ports, port) = AsyncStream.makeStream(of: Int.self)
            let server = ConsoleServer(
                host: "127.0.0.1", port: 0, tokens: configuration.http.tokens, registry: process.registry,
                readiness: Readiness(watches: []), routes: process.routes, version: "1.2.3", limits: limits,
                logger: testLogger, onRunning: { port.yield($0) })
            let routes = server.router.routes.map(\.description)
            let outcome = await Result(catching: {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await server.run() }
                    group.addTask {
                        for await port in ports {
                            let base = "http://127.0.0.1:\(port)"
                            let document = try await Self.request(.GET, base + "/openapi.json").json
                            try await body(
                                APIScene(
                                    base: base, port: port, pool: database.pool, registry: process.registry,
                                    router: routes,
                                    document: document))
                            return
                        }
                    }
                    try await group.next()
                    group.cancelAll()
                    while await group.nextResult() != nil {}
                }
            })
            await process.close()
            try outcome.get()
        }
    }

    /// Asks as one of `tokens`, or as nobody.
    func ask(
        _ method: HTTPMethod = .GET, _ path: String, as role: String? = "admin", json: String? = nil,
        type: String? = "application/json", headers: [(String, String)] = []
    ) async throws -> Reply {
        var headers = headers
        if let role { headers.append(("authorization", "Bearer \(Self.tokens[role] ?? role)")) }
        if json != nil, let type { headers.append(("content-type", type)) }
        return try await Self.request(method, base + path, headers: headers, body: json)
    }

    private static func request(
        _ method: HTTPMethod, _ url: String, headers: [(String, String)] = [], body: String? = nil
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: url)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let buffer = try await response.body.collect(upTo: 8 << 20)
        return Reply(status: response.status.code, headers: response.headers, body: String(buffer: buffer))
    }

    func values(_ statement: String) async throws -> [String] {
        try await pool.query(PostgresQuery(Statement(name: "test", text: statement))) { rows in
            try rows.map { row in try row.readOptional(String.self) ?? "" }
        }
    }

    func run(_ statement: String) async throws {
        try await pool.execute(PostgresQuery(Statement(name: "test", text: statement)))
    }
}

extension Result where Failure == any Error {
    /// What `body` came to.
    init(catching body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
