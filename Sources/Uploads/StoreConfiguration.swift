import Outgoing
import Reconciling
import Settings

/// One store of the configuration, checked: where an upload's chunks are, and where the file goes.
public struct StoreConfiguration: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case directory(Directory)
        case s3(S3)
    }

    public struct Directory: Hashable, Sendable {
        public enum Layout: String, CaseIterable, Sendable {
            /// A file for each chunk.
            case chunks
            /// One preallocated file and part markers.
            case offset
        }

        public var chunks: String
        public var target: String
        public var layout: Layout
        /// The path of a chunk below `chunks`.
        public var pattern: String
        /// The number of the first chunk in its path.
        public var firstIndex: Int
        /// A merge leaves at least so much free.
        public var minFreeBytes: Int64

        public init(
            chunks: String, target: String, layout: Layout = .chunks, pattern: String = "{id}/{index}",
            firstIndex: Int = 0, minFreeBytes: Int64 = 1 << 30
        ) {
            self.chunks = chunks
            self.target = target
            self.layout = layout
            self.pattern = pattern
            self.firstIndex = firstIndex
            self.minFreeBytes = minFreeBytes
        }
    }

    public struct S3: Hashable, Sendable {
        /// How a request names the bucket.
        public enum Addressing: String, CaseIterable, Sendable {
            /// `https://host/bucket/key`
            case path
            /// `https://bucket.host/key`
            case virtual
        }

        public var endpoint: EndpointURL
        public var bucket: String
        public var region: String
        public var accessKey: Secret
        public var secretKey: Secret
        public var addressing: Addressing

        public init(
            endpoint: EndpointURL, bucket: String, region: String, accessKey: Secret, secretKey: Secret,
            addressing: Addressing = .path
        ) {
            self.endpoint = endpoint
            self.bucket = bucket
            self.region = region
            self.accessKey = accessKey
            self.secretKey = secretKey
            self.addressing = addressing
        }
    }

    /// A check lasts as long as its merge does. Its lease is renewed meanwhile; this only bounds what hangs.
    public static let checkTimeout = Duration.seconds(86_400)

    /// The lane.
    public var name: String
    public var kind: Kind
    public var policy: UploadPolicy
    /// A single request's, where the store is asked over the network.
    public var timeout: Duration
    /// Checks in a while at most, over all pollers; nil is unlimited.
    public var rate: Rate?
    /// Checks in flight at most; nil leaves it to the watch's.
    public var concurrency: Int?

    public init(
        name: String, kind: Kind, policy: UploadPolicy = .init(), timeout: Duration = .seconds(10), rate: Rate? = nil,
        concurrency: Int? = nil
    ) {
        self.name = name
        self.kind = kind
        self.policy = policy
        self.timeout = timeout
        self.rate = rate
        self.concurrency = concurrency
    }

    /// What the engine needs to know.
    public var lane: LaneConfiguration {
        LaneConfiguration(name: name, concurrency: concurrency, timeout: Self.checkTimeout, cadence: policy.cadence)
    }

    /// Why no upload would ever be completed under leases of this length, nil if one can: the call that does starts only
    /// with more than its timeout left of the lease.
    public func timeoutProblem(lease: Duration) -> String? {
        guard case .s3 = kind, timeout >= lease else { return nil }
        return "no upload is ever completed: timeout must be shorter than the lease of the uploads"
    }
}
