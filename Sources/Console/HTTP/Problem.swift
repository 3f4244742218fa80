import Foundation
import Hummingbird

/// What is wrong with a request, as `application/problem+json` (RFC 9457).
public struct Problem: Error, Sendable {
    public var status: HTTPResponse.Status
    /// For people; no secrets.
    public var detail: String?
    /// The field of the input that is wrong, and what it may hold.
    public var field: String?
    public var allowed: String?
    var headers: HTTPFields

    public init(
        _ status: HTTPResponse.Status, _ detail: String?, field: String? = nil, allowed: String? = nil,
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.detail = detail
        self.field = field
        self.allowed = allowed
        self.headers = headers
    }

    static let type = "application/problem+json"

    var json: String {
        struct Body: Encodable {
            var type = "about:blank"
            var title: String
            var status: Int
            var detail: String?
            var field: String?
            var allowed: String?
        }
        let body = Body(
            title: status.reasonPhrase, status: status.code, detail: detail, field: field, allowed: allowed)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(body) else { preconditionFailure("texts and a number can be encoded") }
        return String(decoding: json, as: UTF8.self)
    }

    var response: Response {
        var response = ConsoleServer.json(status, json, type: Self.type)
        for field in headers { response.headers[field.name] = field.value }
        return response
    }
}
