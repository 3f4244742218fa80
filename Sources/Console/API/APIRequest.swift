import Foundation
import Hummingbird
import JSON
import NIOCore

/// A request with its query read and found to hold nothing that the operation does not know.
struct APIRequest: Sendable {
    private let request: Request
    private let context: ConsoleContext
    private let bodyBytesMax: Int
    private let query: [String: String]

    init(_ request: Request, _ context: ConsoleContext, _ operation: APIOperation) throws {
        self.request = request
        self.context = context
        bodyBytesMax = operation.body?.bytesMax ?? 0
        guard !operation.takesAnything, let text = request.uri.query else {
            query = [:]
            return
        }
        let names = operation.query.map(\.name)
        query = try QueryText.parameters(text).reduce(into: [:]) { query, parameter in
            guard names.contains(parameter.name) else {
                throw InputError(
                    QueryText.printable(parameter.name), problem: "is not a parameter of this path",
                    allowed: names.isEmpty ? "no parameters" : names.joined(separator: ", "))
            }
            guard query.updateValue(parameter.value, forKey: parameter.name) == nil else {
                throw InputError(parameter.name, problem: "stands there twice", allowed: "each parameter once")
            }
        }
    }

    /// Who stands in `history` for what is changed.
    var actor: String { context.caller.name }

    /// A watch's rows as far as the caller may see them.
    func desk(of watch: any ConsoleWatch) -> CallerDesk { CallerDesk(watch, context.caller) }

    subscript(parameter name: String) -> String? { query[name] }

    /// A parameter of the path, decoded once: it is one segment as it was sent, whatever it holds.
    ///
    /// Throws what stands for no row: it is not found rather than wrong.
    func segment(_ name: String) throws -> String {
        guard let raw = context.parameters.get(name),
            let text = raw.utf8.contains(UInt8(ascii: "%")) ? raw.removingPercentEncoding : raw
        else {
            throw Problem(
                .badRequest, "\(name) is not readable", field: name, allowed: "UTF-8, percent-encoded as one segment")
        }
        return text
    }

    /// A row's id that can be asked for; one that no row can have is not there.
    func id(of noun: String) throws -> String {
        let id = try segment("id")
        guard !id.utf8.contains(0), id.utf8.count <= FieldRules.textLengthMax * 4 else { throw Self.noRow(noun) }
        return id
    }

    static func noRow(_ noun: String) -> Problem { Problem(.notFound, "there is no such \(noun)") }

    /// One of a few words, if the query has it.
    func choice(_ name: String, of words: [String]) throws(InputError) -> String? {
        guard let word = query[name] else { return nil }
        guard words.contains(word) else {
            throw InputError(name, problem: "is none", allowed: words.joined(separator: ", "))
        }
        return word
    }

    /// A whole number of the query.
    func integer(_ name: String, in range: ClosedRange<Int>, default standard: Int) throws(InputError) -> Int {
        guard let text = query[name] else { return standard }
        guard let value = Int(text), range.contains(value), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw InputError(
                name, problem: "is no such number",
                allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// The body, which is one JSON object.
    func object() async throws -> JSONValue {
        guard Self.isJSON(request.headers[.contentType]) else {
            throw Problem(
                .unsupportedMediaType, "the body is to be JSON", field: "content-type", allowed: "application/json")
        }
        let bytes = try await bytes()
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw Problem(.badRequest, "the body is \(error)", field: "body", allowed: "one JSON object")
        }
        guard case .object = value else {
            throw InputError("body", problem: "is not a JSON object", allowed: "one JSON object")
        }
        return value
    }

    /// The body, whatever it is.
    func bytes() async throws -> [UInt8] {
        let encoding = request.headers[.contentEncoding]
        guard encoding == nil || encoding?.lowercased() == "identity" else {
            throw Problem(
                .unsupportedMediaType, "a body is taken as it is, not encoded", field: "content-encoding",
                allowed: "identity, or none", headers: [.acceptEncoding: "identity"])
        }
        let most = bodyBytesMax
        let announced = request.headers[.contentLength].flatMap(Int.init) ?? 0
        guard announced <= most else { throw Self.tooLarge(most) }
        if request.headers[.expect]?.lowercased() == "100-continue" { context.askForBody() }
        do {
            return Array(buffer: try await request.body.collect(upTo: most))
        } catch is NIOTooManyBytesError {
            throw Self.tooLarge(most)
        }
    }

    var contentType: String? { request.headers[.contentType] }
    var lastEventID: String? { request.headers[.init("Last-Event-ID")!] }
    var rawQuery: String? { request.uri.query }
    var address: String { context.remoteAddress?.ipAddress ?? "" }

    private static func tooLarge(_ most: Int) -> Problem {
        Problem(.contentTooLarge, "the body is too large", field: "body", allowed: "at most \(most) bytes")
    }

    /// `application/json`, with whatever parameters: JSON is UTF-8 (RFC 8259).
    private static func isJSON(_ type: String?) -> Bool {
        if type == "application/json" { return true }
        guard let essence = type?.split(separator: ";", maxSplits: 1).first else { return false }
        return essence.trimmingCharacters(in: .whitespaces).lowercased() == "application/json"
    }
}
