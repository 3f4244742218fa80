import JSON
import Outgoing
import Settings
import TestSupport
import Testing
import Timeline

@testable import Uploads

@Suite struct S3SigningTests {
    private static let time = Timestamp("2013-05-24T00:00:00Z")!
    private static let signer = SigV4(
        accessKey: Secret("AKIAIOSFODNN7EXAMPLE"), secretKey: Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1")

    private func signature(_ request: SigV4.Request) -> String {
        let headers = Self.signer.signed(request, at: Self.time)
        return String(headers.first { $0.name == "authorization" }!.value.suffix(64))
    }

    /// The examples of docs.aws.amazon.com, "Signature Calculations for the Authorization Header".
    @Test func theDocumentsExamplesAreReproduced() {
        let host = (name: "Host", value: "examplebucket.s3.amazonaws.com")
        #expect(
            signature(
                .init(method: "GET", path: "/test.txt", headers: [host, (name: "Range", value: "bytes=0-9")]))
                == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        #expect(
            signature(.init(method: "GET", path: "/", query: [(name: "lifecycle", value: "")], headers: [host]))
                == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        #expect(
            signature(
                .init(
                    method: "GET", path: "/",
                    query: [(name: "prefix", value: "J"), (name: "max-keys", value: "2")], headers: [host]))
                == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test func addressesAreMadeOfEndpointBucketAndKey() throws {
        func url(_ endpoint: String, _ addressing: StoreConfiguration.S3.Addressing, _ key: String) throws -> String {
            let address = S3Address(
                .init(
                    endpoint: try #require(EndpointURL(endpoint)), bucket: "media", region: "r",
                    accessKey: Secret("a"), secretKey: Secret("s"), addressing: addressing))
            return address.host + " " + address.url(path: address.path(key), query: "a=b")
        }
        #expect(try url("https://s3.example", .path, "a/b") == "s3.example https://s3.example/media/a/b?a=b")
        #expect(
            try url("http://S3.example:9000/", .path, "/a//b/")
                == "s3.example:9000 http://s3.example:9000/media//a//b/?a=b")
        #expect(
            try url("https://s3.example:443/gate", .path, "ü +%?#")
                == "s3.example https://s3.example/gate/media/%C3%BC%20%2B%25%3F%23?a=b")
        #expect(
            try url("https://s3.example:8443", .virtual, "k")
                == "media.s3.example:8443 https://media.s3.example:8443/k?a=b")
        #expect(try url("http://[::1]:9000", .path, "k") == "[::1]:9000 http://[::1]:9000/media/k?a=b")
    }

    @Test(arguments: ["", ".", "..", "a/../b", "./a", "a/.", "a\u{0}b", String(repeating: "é", count: 513)])
    func whatNamesNoObjectIsRefused(key: String) {
        #expect(S3Address.problem(of: key) != nil)
    }

    @Test(arguments: ["a", "a/b", "/a", "a//b", "a/", "...", "a..b", ".a", "ü €\u{1F600}", "a b+c&d=e?f#g%h\\\"<>"])
    func otherwiseAKeyMayBeAnything(key: String) {
        #expect(S3Address.problem(of: key) == nil)
    }

    @Test(.enabled(if: S3Peer.bin != nil, "RECONCILED_TEST_PEERS is not set"))
    func signaturesAreThoseOfBotocore() async throws {
        var random = SeededRandom(seed: TestSeed.value)
        let alphabet = Array("abcXYZ019-._~/+ %&=?#'\"()!*;:@,[]<>\\^`{|}üß€漢\u{1F600}\u{301}$")
        func text(_ lengths: ClosedRange<Int>) -> String {
            String((0..<Int.random(in: lengths, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
        }
        var keys = ["a", "/a", "a//b", "a/", "a+b c", "ü/€", "a%2Fb", "~-._", "a=b&c", "'()!*"]
        for _ in 0..<60 { keys.append("k" + text(0...20)) }
        let hosts = ["s3.example", "s3.example:9000", "127.0.0.1:4566", "media.s3.eu-central-1.amazonaws.com"]
        try await S3Peer.with("sign") { peer in
            for (number, key) in keys.enumerated() {
                let host = hosts[number % hosts.count]
                let address = S3Address(
                    .init(
                        endpoint: try #require(EndpointURL("https://\(host)")), bucket: "media", region: "r",
                        accessKey: Secret("a"), secretKey: Secret("s"), addressing: number % 2 == 0 ? .path : .virtual))
                var request = SigV4.Request(
                    method: ["GET", "POST", "HEAD", "DELETE", "PUT"][number % 5], path: address.path(key),
                    headers: [(name: "host", value: address.host)])
                if number % 3 > 0 { request.query.append((name: "uploadId", value: text(1...12))) }
                if number % 3 > 1 { request.query += [(name: "uploads", value: ""), (name: "Zz", value: text(0...5))] }
                if number % 4 == 1 { request.headers.append((name: "If-None-Match", value: "*")) }
                if number % 4 == 2 { request.headers.append((name: "X-Amz-Meta-Q", value: "a  b\tc")) }
                if number % 5 == 1 { request.body = Array("<x>\(key)</x>".utf8) }
                try await compare(request, key, address, peer)
            }
        }
    }

    private func compare(
        _ request: SigV4.Request, _ key: String, _ address: S3Address, _ peer: S3Peer
    ) async throws {
        var headers = JSONObjectText()
        for header in request.headers { headers.add(header.name, header.value) }
        var question = JSONObjectText()
        question.add("method", request.method)
        // The peer encodes key and query itself.
        var query = JSONObjectText()
        for (name, value) in request.query { query.add(name, value) }
        question.add("root", address.url(path: address.path("")))
        question.add("key", key)
        question.add("query", object: query)
        question.add("headers", object: headers)
        question.add("body", String(decoding: request.body, as: UTF8.self))
        question.add("access_key", Self.signer.accessKey.value)
        question.add("secret_key", Self.signer.secretKey.value)
        question.add("region", Self.signer.region)
        question.add("time", SigV4.stamp(Self.time))
        let theirs = try await peer.ask(question)
        let ours = Self.signer.signed(request, at: Self.time)
        var signed = request
        signed.headers = ours.filter { $0.name != "authorization" }
        let hash = try #require(theirs["hash"]?.string)
        #expect(SigV4.canonicalRequest(signed, bodyHash: hash) == theirs["canonical"]?.string, "seed \(TestSeed.value)")
        #expect(ours.first { $0.name == "authorization" }?.value == theirs["authorization"]?.string)
        #expect(ours.first { $0.name == "x-amz-content-sha256" }?.value == hash)
    }
}
