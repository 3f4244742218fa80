import Foundation
import Hummingbird

/// Turns errors into `application/problem+json` (RFC 9457).
struct ProblemResponses: RouterMiddleware {
    typealias Context = BasicRequestContext

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any HTTPResponseError {
            return Self.response(error.status, detail: nil)
        }
    }

    static func response(_ status: HTTPResponse.Status, detail: String?) -> Response {
        let detail = detail.map { #","detail":"\#($0)""# } ?? ""
        let body = #"{"type":"about:blank","title":"\#(status.reasonPhrase)","status":\#(status.code)\#(detail)}"#
        return ConsoleServer.json(status, body, type: "application/problem+json")
    }
}
