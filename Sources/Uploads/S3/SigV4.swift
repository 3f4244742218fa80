import Crypto
import Outgoing
import Settings
import Timeline

/// AWS Signature Version 4 as S3 takes it, in the header `authorization`.
///
/// Pure: the same request at the same instant has the same signature. Source: docs.aws.amazon.com, "Signature Calculations
/// for the Authorization Header: Transferring Payload in a Single Chunk". S3's difference from other services: the path
/// is encoded once and never normalised, for `a//b` and `a/./b` are keys.
struct SigV4: Sendable {
    struct Request: Sendable {
        var method: String
        /// Percent-encoded, as it is sent.
        var path: String
        /// Names and values as they are, in any order.
        var query: [(name: String, value: String)] = []
        /// Everything that is to be signed, `host` included.
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
    }

    var accessKey: Secret
    var secretKey: Secret
    var region: String

    /// The request's headers, with those that the signature adds.
    func signed(_ request: Request, at time: Timestamp) -> [(name: String, value: String)] {
        var request = request
        let bodyHash = SHA256.hash(data: request.body).hexadecimal
        request.headers.append((name: "x-amz-content-sha256", value: bodyHash))
        request.headers.append((name: "x-amz-date", value: Self.stamp(time)))
        let names = Self.canonicalHeaders(request).map(\.name).joined(separator: ";")
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(accessKey.value)/\(scope(time)), SignedHeaders=\(names), "
            + "Signature=\(signature(request, bodyHash: bodyHash, at: time))"
        return request.headers + [(name: "authorization", value: authorization)]
    }

    /// What is hashed and signed: method, path, query, headers, their names, the body's hash.
    static func canonicalRequest(_ request: Request, bodyHash: String) -> String {
        let headers = canonicalHeaders(request)
        return [
            request.method, request.path, canonicalQuery(request.query),
            headers.map { "\($0.name):\($0.value)\n" }.joined(), headers.map(\.name).joined(separator: ";"), bodyHash,
        ].joined(separator: "\n")
    }

    /// The query as it is signed and sent: encoded, in the order of the encoded names, `name=` for an empty value.
    static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (name: PercentEncoding.segment($0.name), value: PercentEncoding.segment($0.value)) }
            .sorted {
                Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8))
                    || ($0.name == $1.name && Array($0.value.utf8).lexicographicallyPrecedes(Array($1.value.utf8)))
            }
            .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    func stringToSign(_ request: Request, bodyHash: String, at time: Timestamp) -> String {
        let canonical = Self.canonicalRequest(request, bodyHash: bodyHash)
        return "AWS4-HMAC-SHA256\n\(Self.stamp(time))\n\(scope(time))\n"
            + SHA256.hash(data: Array(canonical.utf8)).hexadecimal
    }

    private func signature(_ request: Request, bodyHash: String, at time: Timestamp) -> String {
        var key = SymmetricKey(data: Array("AWS4\(secretKey.value)".utf8))
        for word in [String(Self.stamp(time).prefix(8)), region, "s3", "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(word.utf8), using: key))
        }
        let text = stringToSign(request, bodyHash: bodyHash, at: time)
        return HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key).hexadecimal
    }

    private func scope(_ time: Timestamp) -> String { "\(Self.stamp(time).prefix(8))/\(region)/s3/aws4_request" }

    /// `20261123T140211Z`
    static func stamp(_ time: Timestamp) -> String {
        time.description.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    /// Lower-case names in order; values trimmed, with single spaces; several of one name joined by commas.
    private static func canonicalHeaders(_ request: Request) -> [(name: String, value: String)] {
        var values: [String: [String]] = [:]
        for header in request.headers {
            let value = header.value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
            values[header.name.lowercased(), default: []].append(value)
        }
        return values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value.joined(separator: ",")) }
    }
}
