import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A browser without a script, which follows no redirect, at the dashboard that a scene serves.
struct DashboardVisitor: Sendable {
    /// Without tokens: whoever is on this machine may act.
    static let yaml = """
        gateways:
          trial: { kind: fixed, state: NOT_PAID_YET }
        """

    let base: String
    var cookie: String?

    init(_ scene: APIScene, cookie: String? = nil) {
        base = scene.base
        self.cookie = cookie
    }

    func get(_ path: String, headers: [(String, String)] = []) async throws -> APIScene.Reply {
        try await ask(.GET, path, headers: headers)
    }

    /// Sends a form, with the hidden fields of a page.
    func post(
        _ path: String, _ fields: [String: String], from page: String? = nil, headers: [(String, String)] = []
    ) async throws -> APIScene.Reply {
        var fields = fields
        if let page { fields.merge(Self.hidden(in: try await get(page).body)) { given, _ in given } }
        let body = fields.map { "\(Self.encoded($0.key))=\(Self.encoded($0.value))" }.joined(separator: "&")
        return try await ask(
            .POST, path, headers: [("content-type", "application/x-www-form-urlencoded")] + headers, body: body)
    }

    static func hidden(in page: String) -> [String: String] {
        page.matches(of: /type="hidden" name="([^"]*)" value="([^"]*)"/)
            .reduce(into: [:]) { $0[String($1.1)] = String($1.2) }
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    private func ask(
        _ method: HTTPMethod, _ path: String, headers: [(String, String)], body: String? = nil
    ) async throws -> APIScene.Reply {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let cookie { request.headers.add(name: "cookie", value: cookie) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await Self.client.execute(request, timeout: .seconds(30))
        let buffer = try await response.body.collect(upTo: 8 << 20)
        return APIScene.Reply(
            status: response.status.code, headers: response.headers, body: String(buffer: buffer))
    }

    /// For the life of the test process.
    private static let client = HTTPClient(
        eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))
}
