import JSON
import Outgoing
import Settings
import Testing

@testable import Uploads

/// A client that is not ours, and one key.
struct S3PeerClient {
    var peer: S3Peer
    var key: String

    func ask(_ op: String, _ more: (inout JSONObjectText) -> Void = { _ in }) async throws -> JSONValue {
        var question = JSONObjectText()
        question.add("op", op)
        question.add("key", key)
        more(&question)
        return try await peer.ask(question)
    }

    func begin() async throws -> String {
        let answer = try await ask("create")
        return try #require(answer["upload_id"]?.string, "\(key): \(answer)")
    }

    func part(_ number: Int, _ body: String, of upload: String) async throws {
        let answer = try await ask("part") {
            $0.add("upload_id", upload)
            $0.add("number", Int64(number))
            $0.add("body", body)
        }
        #expect(answer["etag"] != nil, "\(answer)")
    }
}

/// A store whose S3 is not ours: `moto`, `moto-unchecked` or `swift`.
func withS3Peer(
    _ mode: String = "moto", secretKey: String? = nil, bucket: String? = nil,
    _ body: (S3Store, S3Peer) async throws -> Void
) async throws {
    try await S3Peer.with(mode) { peer in
        let told = try await peer.hear()
        func text(_ name: String) throws -> String { try #require(told[name]?.string) }
        let http = OutgoingClient()
        let settings = StoreConfiguration.S3(
            endpoint: try #require(EndpointURL(try text("endpoint"))), bucket: try bucket ?? text("bucket"),
            region: try text("region"), accessKey: Secret(try text("access_key")),
            secretKey: Secret(try secretKey ?? text("secret_key")))
        do {
            try await body(S3Store(settings, timeout: .seconds(30), http: http), peer)
            try await http.shutdown()
        } catch {
            try await http.shutdown()
            throw error
        }
    }
}
