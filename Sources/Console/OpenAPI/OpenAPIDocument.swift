import Hummingbird
import JSON

/// The OpenAPI 3.1 document of the HTTP interface, written from the routes that are served.
struct OpenAPIDocument: Sendable {
    let text: String

    /// - Parameters:
    ///   - operations: those that are not registered are left out.
    ///   - registered: as `GET /v1/lanes`.
    init(
        version: String, operations: [APIOperation], schemas: [(name: String, schema: String)],
        registered: Set<String>
    ) {
        let served = operations.filter { registered.contains("\($0.method.rawValue) \($0.path)") }
        var paths = JSONObjectText()
        for path in Set(served.map(\.path)).sorted() {
            var methods = JSONObjectText()
            for operation in served where operation.path == path {
                methods.add(operation.method.rawValue.lowercased(), object: Self.object(operation))
            }
            paths.add(path, object: methods)
        }
        var schemaTexts = JSONObjectText()
        for entry in APISchema.shared + schemas { schemaTexts.add(entry.name, json: Self.json(entry.schema)) }
        var components = JSONObjectText()
        components.add("schemas", object: schemaTexts)
        components.add(
            "securitySchemes",
            json: Self.json(
                #"{"bearer":{"type":"http","scheme":"bearer","description":"A token of http.tokens; none is needed where none is configured."}}"#
            ))
        var info = JSONObjectText()
        info.add("title", "Reconciled")
        info.add("version", version)
        info.add(
            "description",
            "Rows under reconciliation, by column name. Roles: viewer reads; operator also nudges, resolves, pauses and "
                + "resumes; admin also adds and removes, and sees a timer's body and the values of its headers and of "
                + "its URL's query, except those of headers whose name says that they are secrets, which nobody sees. "
                + "A secret in its URL's path is shown to whoever reads. Times are RFC 3339 in UTC.")
        var document = JSONObjectText()
        document.add("openapi", "3.1.0")
        document.add("info", object: info)
        document.add("paths", object: paths)
        document.add("components", object: components)
        text = document.text
    }

    private static func json(_ text: String) -> JSONValue {
        do {
            return try JSONValue(parsing: text)
        } catch {
            preconditionFailure("a schema of ours is \(error): \(text)")
        }
    }

    private static func object(_ operation: APIOperation) -> JSONObjectText {
        var object = JSONObjectText()
        object.add("operationId", operation.id)
        object.add("summary", operation.summary)
        if let tag = operation.path.split(separator: "/").dropFirst().first, operation.path.hasPrefix("/v1/") {
            object.add("tags", [String(tag)])
        }
        object.add(
            "security", json: operation.role == nil ? .array([]) : .array([.object([.init("bearer", .array([]))])]))
        if let role = operation.role { object.add("x-role", role.rawValue) }
        object.add(
            "parameters",
            objects: operation.pathParameters.map { parameter($0, in: "path") }
                + operation.query.map { parameter($0, in: "query") })
        if let body = operation.body {
            var media = JSONObjectText()
            media.add("schema", json: json(body.schema))
            var content = JSONObjectText()
            content.add("application/json", object: media)
            if operation.takesAnything { content.add("application/x-www-form-urlencoded", object: media) }
            var text = JSONObjectText()
            text.add("required", true)
            text.add("description", "\(body.bytesMax) bytes at most, without a Content-Encoding.")
            text.add("content", object: content)
            object.add("requestBody", object: text)
        }
        var answers = JSONObjectText()
        for answer in operation.answers { answers.add("\(answer.status.code)", object: Self.answer(answer)) }
        for status in operation.allProblems {
            answers.add(
                "\(status.code)",
                object: Self.answer(
                    .init(
                        status, status.reasonPhrase, type: "application/problem+json", schema: APISchema.problem)))
        }
        object.add("responses", object: answers)
        return object
    }

    private static func parameter(_ parameter: APIOperation.Parameter, in place: String) -> JSONObjectText {
        var object = JSONObjectText()
        object.add("name", parameter.name)
        object.add("in", place)
        object.add("required", place == "path")
        object.add("description", parameter.text)
        object.add("schema", json: json(parameter.schema))
        return object
    }

    private static func answer(_ answer: APIOperation.Answer) -> JSONObjectText {
        var media = JSONObjectText()
        if let schema = answer.schema { media.add("schema", json: json(schema)) }
        var content = JSONObjectText()
        content.add(answer.type, object: media)
        var object = JSONObjectText()
        object.add("description", answer.text)
        object.add("content", object: content)
        return object
    }
}

extension APIOperation {
    /// `get_v1_orders_id_history`.
    var id: String {
        let words = path.split { "/{}._".contains($0) }.joined(separator: "_")
        return "\(method.rawValue.lowercased())_\(words)"
    }

    /// Every problem that it can answer with, by code.
    var allProblems: [HTTPResponse.Status] {
        // What is no request, whatever it asks for.
        var statuses = Set(problems + [.badRequest])
        if role != nil { statuses.formUnion([.unauthorized, .forbidden]) }
        // Another site's page.
        if method != .get { statuses.insert(.forbidden) }
        if path.hasPrefix("/v1/") {
            // A value that no column takes, or a parameter that there is none of.
            statuses.formUnion([.unprocessableContent, .misdirectedRequest, .serviceUnavailable])
        }
        if !pathParameters.isEmpty { statuses.insert(.notFound) }
        if body != nil { statuses.formUnion([.contentTooLarge, .unsupportedMediaType]) }
        if takesAnything { statuses.remove(.unprocessableContent) }
        return statuses.subtracting(answers.map(\.status)).sorted { $0.code < $1.code }
    }
}
