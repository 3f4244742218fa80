import Hummingbird
import JSON

/// Answers that are JSON, put together from parts that are JSON already.
enum APIReply {
    static func ok(_ json: String) -> Response { ConsoleServer.json(.ok, json) }

    /// What became of a row.
    static func outcome(_ outcome: String, id: String, status: HTTPResponse.Status = .ok) -> Response {
        var object = JSONObjectText()
        object.add("id", id)
        object.add("outcome", outcome)
        return ConsoleServer.json(status, object.text)
    }
}
