import JSON
import Reconciling
import Timeline

/// Where an upload's chunks are and where its file goes.
///
/// A store looks and acts; what is to be done is decided by `UploadRules`. Every fault of the outside world is a value,
/// so nothing is thrown. Whatever is interrupted, at any step, by `kill -9` or a power cut, is taken up by the next call;
/// a second caller at the same time (a frozen poller that wakes up) may waste work, but can neither damage nor publish
/// anything wrong. When the task is cancelled a call ends soon, with `.interrupted`.
public protocol ChunkStore: Sendable {
    /// Looks at what has arrived.
    func inspect(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Inventory, StoreFault>

    /// Makes the file of chunks that are all there, or goes on where `work.state` says it stopped, and publishes it:
    /// whole, of the right size and digest, in one instant, never over something that stands there already.
    func merge(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> MergeOutcome

    /// Before a session with missing chunks expires: is it complete after all, made by someone else?
    func proof(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<CompletionProof, StoreFault>

    /// Frees what the chunks of a complete upload occupy. Says how many bytes that were, those of earlier calls that
    /// were interrupted included.
    func reclaim(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64, StoreFault>

    /// Puts an expired upload's chunks out of the way, so that they can be brought back for a while (S3: aborts the
    /// multipart upload, until nothing is left of it). Says how many bytes they are.
    func discard(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Discarded, StoreFault>

    /// Brings back what `discard` put out of the way, as far as nobody has freed it, never over a chunk that came since: the
    /// upload goes on after all. Says how many bytes that were; nil: something is in the way, of which `inspect` tells.
    func restore(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64?, StoreFault>

    /// Frees what `discard` put out of the way. Says how many bytes that were.
    func purge(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64, StoreFault>
}

/// What a store's call may use of the check that it belongs to.
public struct StoreWork: Sendable {
    /// The claim's token: no other claim has the same.
    public var token: Int64
    /// The call ends before this.
    public var deadline: Moment
    /// The database's clock.
    public var now: @Sendable () -> Timestamp
    /// What is left of the lease; something irreversible starts only while there is some.
    public var leaseRemaining: @Sendable () -> Duration
    /// What this store noted at its last checkpoint or discard, nil at the first. Its own to define.
    public var state: JSONValue?
    /// Notes, under the fence, how many bytes of the file are durable and what is needed to go on from there. False if
    /// the lease was lost: stop, and remove only what is this call's own.
    public var checkpoint: @Sendable (_ mergedBytes: Int64, _ state: JSONValue) async throws -> Bool

    public init(
        token: Int64, deadline: Moment, now: @escaping @Sendable () -> Timestamp,
        leaseRemaining: @escaping @Sendable () -> Duration, state: JSONValue?,
        checkpoint: @escaping @Sendable (_ mergedBytes: Int64, _ state: JSONValue) async throws -> Bool
    ) {
        self.token = token
        self.deadline = deadline
        self.now = now
        self.leaseRemaining = leaseRemaining
        self.state = state
        self.checkpoint = checkpoint
    }
}

/// The file as it was published.
public struct Publication: Hashable, Sendable {
    /// A path or an address, without credentials.
    public var location: String
    /// What identifies the content: S3's ETag, or the SHA-256 where it was computed.
    public var etag: String?
    public var bytes: Int64
    /// Whether nothing remains to be reclaimed (S3 keeps no parts of a completed upload).
    public var leavesNothing: Bool

    public init(location: String, etag: String?, bytes: Int64, leavesNothing: Bool = false) {
        self.location = location
        self.etag = etag
        self.bytes = bytes
        self.leavesNothing = leavesNothing
    }
}

public enum MergeOutcome: Hashable, Sendable {
    case published(Publication)
    /// Chunks are missing or changed since the merge began. What was noted stays, for it may be the only proof that
    /// another worker published meanwhile: a note must show by itself which chunks it is about.
    case chunksChanged
    /// The target was there, and is not this upload. The detail goes to `review_detail`.
    case targetExists(JSONValue)
    case digestMismatch(JSONValue)
    case sizeMismatch(JSONValue)
    /// Nothing was damaged; the rows wait for space.
    case noSpace(neededBytes: Int64, freeBytes: Int64)
    /// The lease was lost, or the task was cancelled: the next claim goes on from the last checkpoint.
    case interrupted
    case fault(StoreFault)
}

public enum CompletionProof: Hashable, Sendable {
    /// It is there, whole.
    case complete(Publication)
    /// It is not: nothing is there.
    case incomplete
    /// It is not: something is there that surely is not this upload. The reason is for humans who were told that it is, and
    /// so is the detail.
    case different(reason: String, JSONValue)
    /// Something is there that may be this upload, and nothing can tell. For humans; the detail goes to `review_detail`.
    case undecided(JSONValue)
}

public struct Discarded: Hashable, Sendable {
    public var bytes: Int64
    /// Whether `purge` has something to do later.
    public var isKept: Bool

    public init(bytes: Int64, isKept: Bool) {
        self.bytes = bytes
        self.isKept = isKept
    }
}

/// Why a store could not do what it was asked.
public struct StoreFault: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Connection, timeout, 5xx, 429, EIO: the lane's breaker counts it.
        case unavailable(retryAfter: Duration?)
        /// Credentials, a bucket or directory that is not there, a read-only file system: the lane is misconfigured.
        case misconfigured
        /// An answer that cannot be read: it counts against the row.
        case unreadable
        /// The row itself cannot be served: a name that leads out of the store, numbers that do not fit. For humans.
        case invalid(reason: String)
        /// The lease was lost, or the task was cancelled.
        case interrupted
    }

    public var kind: Kind
    /// For people; no secrets.
    public var problem: String

    public init(_ kind: Kind, _ problem: String) {
        self.kind = kind
        self.problem = problem
    }

    /// Whether only a human can set it right.
    var isForHumans: Bool { if case .invalid = kind { true } else { false } }
}
