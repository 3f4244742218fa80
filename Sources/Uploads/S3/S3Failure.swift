import Outgoing

/// Why a call to S3 did not do what it was to do.
enum S3Failure: Error, Hashable, Sendable {
    /// No whole answer: it may have been done or not.
    case silent(OutgoingFailure)
    /// An error, by S3's own code where it could be read. `Error` inside a 200 counts as a 500.
    /// `namesCondition`: whether its words are about the header `if-none-match`.
    case refused(status: Int, code: String?, namesCondition: Bool, retryAfter: Duration?)
    /// An answer that says something else than was asked.
    case unreadable(String)

    init(_ response: OutgoingResponse, status: Int? = nil) {
        let root = S3XML(parsing: response.body)
        // Some servers put it into an envelope.
        let error = root?.name == "Error" ? root : root?.children.first { $0.name == "Error" }
        // An error may repeat the whole request elsewhere, and with it the header's name.
        let words = error.map { error in Self.wordElements.compactMap { error[$0] }.joined(separator: " ") }
        self = .refused(
            status: status ?? response.status, code: error?["Code"].flatMap(Self.plain),
            namesCondition: Self.namesCondition(words ?? String(decoding: response.body, as: UTF8.self)),
            retryAfter: response.retryAfter)
    }

    var code: String? {
        if case .refused(_, let code, _, _) = self { code } else { nil }
    }

    var status: Int? {
        if case .refused(let status, _, _, _) = self { status } else { nil }
    }

    /// Whether the multipart upload is not known: it was completed or aborted, or never was.
    var isNoSuchUpload: Bool { code == "NoSuchUpload" }

    /// Whether the parts that were to be put together are not those that the store has.
    var isOfParts: Bool { code == "InvalidPart" || code == "InvalidPartOrder" }

    /// Whether it is about the header `if-none-match`, which some stores do not know: nothing was done then. That something
    /// is not implemented can be about nothing else of the call, for every store has the rest. Codes that may be about
    /// anything are so only where the words besides say it: without the header, something may be overwritten.
    var isOfCondition: Bool {
        switch self {
        case .refused(501, _, _, _), .refused(_, "NotImplemented"?, _, _), .refused(400, "NotSupported"?, _, _): true
        case .refused(400, let code, let namesCondition, _):
            namesCondition && (code.map(Self.vague.contains) ?? true)
        case .refused, .silent, .unreadable: false
        }
    }

    private static let vague: Set<String> = ["InvalidArgument", "InvalidRequest", "InvalidHeader", "BadRequest"]

    private static let wordElements = ["Message", "ArgumentName", "Header", "Condition"]

    private static func namesCondition(_ words: String) -> Bool {
        let words = words.lowercased()
        return words.contains("if-none-match") || words.contains("conditional")
    }

    /// Status and code, for people.
    var shown: String {
        switch self {
        case .refused(let status, let code, _, _): code.map { "HTTP \(status), \($0)" } ?? "HTTP \(status)"
        case .silent, .unreadable: "no answer"
        }
    }

    /// Only a word is shown or stored: a message may repeat the request, and with it the access key.
    private static func plain(_ code: String) -> String? {
        let isWord = code.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2E
        }
        return !code.isEmpty && code.utf8.count <= 64 && isWord ? code : nil
    }

    // MARK: what it means

    private static let busy: Set<String> = [
        "SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling", "ThrottlingException",
        "TooManyRequests", "RequestLimitExceeded", "BandwidthLimitExceeded", "OperationAborted",
        "ConditionalRequestConflict", "XMinioServerNotInitialized",
    ]

    private static let misconfigured: [String: String] = [
        "NoSuchBucket": "the bucket is not there, or `addressing` does not fit the store",
        "InvalidBucketName": "the bucket's name is not one, or `addressing` does not fit the store",
        "AllAccessDisabled": "access to the bucket is disabled",
        "PermanentRedirect": "the bucket is at another endpoint or in another region",
        "AuthorizationHeaderMalformed": "the region does not fit the bucket",
        "InvalidRegion": "the region is not one of the store's",
        "IllegalLocationConstraintException": "the region does not fit the bucket",
        "SignatureDoesNotMatch": "the secret key does not fit the access key, or region or endpoint are wrong",
        "InvalidAccessKeyId": "the access key is not known",
        "InvalidClientTokenId": "the access key is not known",
        "ExpiredToken": "the access key has expired",
        "RequestTimeTooSkewed": "the clocks of the database and the store differ by too much",
        "AccessDenied":
            "the access key may not do that (s3:GetObject, s3:PutObject, s3:ListBucket, s3:ListMultipartUploadParts and "
            + "s3:AbortMultipartUpload are needed)",
        "NotImplemented": "the store does not have this call",
    ]

    /// What it says about the store and the row.
    var fault: StoreFault {
        switch self {
        case .silent(let failure): return Self.fault(failure)
        case .unreadable(let problem): return StoreFault(.unreadable, "The store's answer is not usable: \(problem).")
        case .refused(let status, let code, _, let retryAfter):
            if code == "KeyTooLongError" {
                return StoreFault(.invalid(reason: UploadReason.invalidName), "The store refuses the name (\(shown)).")
            }
            if let problem = code.flatMap({ Self.misconfigured[$0] }) {
                return StoreFault(.misconfigured, "The store refuses us: \(problem) (\(shown)).")
            }
            if status == 429 || code.map(Self.busy.contains) == true {
                return StoreFault(.unavailable(retryAfter: retryAfter), "The store asks us to wait (\(shown)).")
            }
            switch status {
            case 401, 403:
                return StoreFault(.misconfigured, "The store refuses our credentials, or what they may do (\(shown)).")
            case 501: return StoreFault(.misconfigured, "The store does not have this call (\(shown)).")
            case 500...599: return StoreFault(.unavailable(retryAfter: retryAfter), "The store failed (\(shown)).")
            case 301, 302, 307, 308:
                return StoreFault(
                    .misconfigured,
                    "The store redirects to another endpoint or region, which is not followed (\(shown)).")
            default: return StoreFault(.unreadable, "The store did not do what it was asked (\(shown)).")
            }
        }
    }

    private static func fault(_ failure: OutgoingFailure) -> StoreFault {
        let problem = failure.problem(of: "store")
        switch failure {
        case .timeout, .connection, .cut: return StoreFault(.unavailable(retryAfter: nil), problem)
        case .unreadable, .tooLarge: return StoreFault(.unreadable, problem)
        case .interrupted: return StoreFault(.interrupted, problem)
        }
    }
}
