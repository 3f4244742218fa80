import Crypto
import Outgoing
import Timeline

/// The calls of S3 that uploads need, each once: trying again is for the row's back-off.
struct S3Client: Sendable {
    struct Object: Hashable, Sendable {
        var bytes: Int64
        /// Without quotes.
        var etag: String
    }

    /// A page of a listing, and of any other answer: S3's own pages have 1,000 parts, some servers' all of them.
    private static let bodyBytesMax = 4 << 20
    /// While it completes an upload S3 sends white space now and then; a server that does not is asked by HEAD. OpenStack
    /// Swift looks at every part, is silent meanwhile (10,000 parts: minutes), and does not stop when we hang up: sent
    /// again too soon, each Complete slows the others down.
    private let completeIdleLimit: Duration
    private static let completeIdleLimitPerPart = Duration.milliseconds(100)

    let address: S3Address
    private let signer: SigV4
    /// A request's, and how long a body may pause.
    let timeout: Duration
    private let http: OutgoingClient

    init(
        _ settings: StoreConfiguration.S3, timeout: Duration, completeIdleLimit: Duration = .seconds(60),
        http: OutgoingClient
    ) {
        self.completeIdleLimit = completeIdleLimit
        address = S3Address(settings)
        signer = SigV4(accessKey: settings.accessKey, secretKey: settings.secretKey, region: settings.region)
        self.timeout = timeout
        self.http = http
    }

    /// Lists every part of a multipart upload.
    func listParts(_ key: String, uploadID: String, _ work: StoreWork) async -> Result<S3Listing, S3Failure> {
        var listing = S3Listing()
        while let marker = listing.marker {
            var query = [(name: "uploadId", value: uploadID), (name: "max-parts", value: "1000")]
            if marker > 0 { query.append((name: "part-number-marker", value: String(marker))) }
            let response: OutgoingResponse
            switch await send("GET", key, query: query, work) {
            case .failure(let failure): return .failure(failure)
            case .success(let answer): response = answer
            }
            guard response.status == 200 else { return .failure(S3Failure(response)) }
            guard let page = S3XML(parsing: response.body) else {
                return .failure(.unreadable("the list of parts is not whole XML"))
            }
            if let problem = listing.add(page: page, uploadID: uploadID, storeTime: response.date) {
                return .failure(.unreadable("the list of parts: " + problem))
            }
        }
        return .success(listing)
    }

    /// Has the object made of these parts. Gives its ETag as far as the answer has one.
    ///
    /// - Parameter ifAbsent: only if nothing stands there already.
    func complete(
        _ key: String, uploadID: String, parts: [S3Part], ifAbsent: Bool, _ work: StoreWork
    ) async -> Result<String?, S3Failure> {
        var headers = [(name: "content-type", value: "application/xml")]
        if ifAbsent { headers.append((name: "if-none-match", value: "*")) }
        let answer = await send(
            "POST", key, query: [(name: "uploadId", value: uploadID)], headers: headers, body: Self.list(parts),
            deadline: work.deadline,
            idleLimit: max(timeout, completeIdleLimit) + Self.completeIdleLimitPerPart * parts.count, work)
        guard case .success(let response) = answer else { return answer.map { _ in nil } }
        guard response.status == 200 else { return .failure(S3Failure(response)) }
        // The status came before the work was done: what counts is the root, and an end that is missing is a failure.
        guard let root = S3XML(parsing: response.body), root.name == "CompleteMultipartUploadResult" else {
            return .failure(S3Failure(response, status: 500))
        }
        return .success(root["ETag"].flatMap(S3ETag.bare))
    }

    /// What stands at a key, nil if nothing does.
    func head(_ key: String, _ work: StoreWork) async -> Result<Object?, S3Failure> {
        let answer = await send("HEAD", key, work)
        guard case .success(let response) = answer else { return answer.map { _ in nil } }
        if response.status == 404 { return .success(nil) }
        guard response.status == 200 else { return .failure(S3Failure(response)) }
        guard let bytes = response.header("content-length").flatMap({ Int64($0) }), bytes >= 0,
            let etag = response.header("etag").flatMap(S3ETag.bare)
        else { return .failure(.unreadable("the object has no length or no ETag")) }
        return .success(Object(bytes: bytes, etag: etag))
    }

    /// Reads an object and hashes it; nil if nothing stands there.
    ///
    /// - Parameter bytesMax: the object is not longer; what is, is not read on.
    func sha256(
        _ key: String, bytesMax: Int64, _ work: StoreWork
    ) async -> Result<(digest: String, bytes: Int64)?, S3Failure> {
        struct Reading: Sendable {
            var hash = SHA256()
            var bytes: Int64 = 0
            var error: [UInt8] = []
        }
        let request = request("GET", key, query: [], headers: [], body: nil, work)
        let answer = await http.read(request, deadline: work.deadline, idleLimit: timeout, into: Reading()) {
            (reading, head, bytes) throws(OutgoingFailure) in
            let isObject = head.status == 200
            reading.bytes += Int64(bytes.count)
            guard reading.bytes <= (isObject ? bytesMax : Int64(Self.bodyBytesMax)) else {
                throw .tooLarge(status: head.status, bytesMax: Int(clamping: bytesMax))
            }
            if isObject {
                unsafe bytes.withUnsafeBytes { unsafe reading.hash.update(bufferPointer: $0) }
            } else {
                reading.error += bytes
            }
        }
        switch answer {
        case .failure(let failure): return .failure(.silent(failure))
        case .success((var response, let reading)):
            response.body = reading.error
            if response.status == 200 { return .success((reading.hash.finalize().hexadecimal, reading.bytes)) }
            let failure = S3Failure(response)
            return failure.code == "NoSuchKey" ? .success(nil) : .failure(failure)
        }
    }

    /// What became of a multipart upload that was to be given up.
    enum Abortion {
        /// It is given up, or not known any more; parts on their way may still land.
        case done
        /// It was completed: the parts that the store still lists are the object.
        case wasCompleted
    }

    func abort(_ key: String, uploadID: String, _ work: StoreWork) async -> Result<Abortion, S3Failure> {
        let answer = await send("DELETE", key, query: [(name: "uploadId", value: uploadID)], work)
        guard case .success(let response) = answer else { return answer.map { _ in .done } }
        guard response.status != 204, response.status != 200 else { return .success(.done) }
        let failure = S3Failure(response)
        if failure.isNoSuchUpload { return .success(.done) }
        // OpenStack Swift, whose completed uploads are known for as long as their objects are.
        return failure.code == "NoSuchKey" ? .success(.wasCompleted) : .failure(failure)
    }

    // MARK: requests

    private func send(
        _ method: String, _ key: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], body: String? = nil, deadline: Moment? = nil,
        idleLimit: Duration? = nil, _ work: StoreWork
    ) async -> Result<OutgoingResponse, S3Failure> {
        await http.send(
            request(method, key, query: query, headers: headers, body: body, work),
            deadline: deadline ?? min(Moment.now + timeout, work.deadline), idleLimit: idleLimit,
            bodyBytesMax: Self.bodyBytesMax
        ).mapError { .silent($0) }
    }

    private func request(
        _ method: String, _ key: String, query: [(name: String, value: String)],
        headers: [(name: String, value: String)], body: String?, _ work: StoreWork
    ) -> OutgoingRequest {
        let path = address.path(key)
        let headers = signer.signed(
            .init(
                method: method, path: path, query: query, headers: [(name: "host", value: address.host)] + headers,
                body: Array((body ?? "").utf8)),
            at: work.now())
        return OutgoingRequest(
            method: method, url: address.url(path: path, query: SigV4.canonicalQuery(query)), headers: headers,
            body: body)
    }

    private static func list(_ parts: [S3Part]) -> String {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for part in parts {
            text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\"\(part.etag)\"</ETag></Part>"
        }
        return text + "</CompleteMultipartUpload>"
    }
}
