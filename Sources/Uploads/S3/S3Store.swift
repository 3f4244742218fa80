import JSON
import Outgoing
import Timeline

/// Uploads whose chunks are the parts of S3's own multipart uploads, and whose merge is S3's.
///
/// S3 answers Complete late or never, and a second Complete may fail though the first was done. So what the object will
/// be (its composite ETag) is journaled under the fence before Complete is sent, and what became of it is read off the
/// object itself: an answer alone proves nothing, and neither does an object that merely stands there.
public struct S3Store: ChunkStore {
    let client: S3Client

    /// - Parameter timeout: a request's. Completing an upload and reading an object may take longer, as long as they go
    ///   on.
    public init(_ settings: StoreConfiguration.S3, timeout: Duration, http: OutgoingClient) {
        self.init(client: S3Client(settings, timeout: timeout, http: http))
    }

    init(client: S3Client) {
        self.client = client
    }

    public func inspect(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Inventory, StoreFault> {
        do throws(StoreFault) {
            let session = try S3Session(upload, plan)
            guard let listing = try await parts(session, work) else {
                // What stands there instead is asked about anew when it changes.
                let target = try await object(session, work)
                return .success(
                    Inventory(
                        received: 0, receivedBytes: 0, missing: ChunkRanges(1...max(plan.count, 1)),
                        fingerprint: "gone:\(target.map { "\($0.etag):\($0.bytes)" } ?? "")",
                        targetBytes: target?.bytes, isSessionGone: true))
            }
            return .success(Inventory(listing, plan: plan))
        } catch {
            return .failure(error)
        }
    }

    public func proof(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<CompletionProof, StoreFault> {
        do throws(StoreFault) {
            let session = try S3Session(upload, plan)
            let listing = try await parts(session, work)
            return .success(try await proof(try await object(session, work), session, listing, work))
        } catch {
            return .failure(error)
        }
    }

    func proof(
        _ object: S3Client.Object?, _ session: S3Session, _ listing: S3Listing?, _ work: StoreWork
    ) async throws(StoreFault) -> CompletionProof {
        guard let object else { return .incomplete }
        // Parts may have been sent again since the note was taken, and the note may be of what was completed since.
        let known = etags(session, listing, work)
        let composite = known.first { $0.lowercased() == object.etag.lowercased() } ?? known.first
        switch try await likeness(object, session, composite, isOver: listing == nil, work) {
        case .same(let publication): return .complete(publication)
        case .otherSize(let detail): return .different(reason: UploadReason.sizeMismatch, detail)
        case .otherContent(let detail): return .different(reason: UploadReason.digestMismatch, detail)
        case .wrongDigest(let detail), .unclear(let detail): return .undecided(detail)
        }
    }

    /// Nothing that was aborted comes back.
    public func restore(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64?, StoreFault> {
        .success(0)
    }

    /// Nothing that was aborted is kept.
    public func purge(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64, StoreFault> {
        .success(0)
    }

    /// What the session's object may have, as far as anyone can tell: by the note, and by the parts that are there.
    func etags(_ session: S3Session, _ listing: S3Listing?, _ work: StoreWork) -> [String] {
        let listed = listing.flatMap { session.wholeParts($0) }.flatMap(CompositeETag.of)
        return [S3MergeNote(work.state, of: session)?.etag, listed].compactMap { $0 }
    }

    // MARK: looking

    /// The parts that are there; nil if the multipart upload is gone.
    func parts(_ session: S3Session, _ work: StoreWork) async throws(StoreFault) -> S3Listing? {
        switch await client.listParts(session.key, uploadID: session.uploadID, work) {
        case .success(let listing): return listing
        case .failure(let failure) where failure.isNoSuchUpload: return nil
        case .failure(let failure): throw failure.fault
        }
    }

    /// What stands at the target's place.
    func object(_ session: S3Session, _ work: StoreWork) async throws(StoreFault) -> S3Client.Object? {
        switch await client.head(session.key, work) {
        case .success(let object): return object
        case .failure(let failure): throw failure.fault
        }
    }

    /// Whether an object is this upload.
    enum Likeness {
        case same(Publication)
        /// Made of this upload's parts, which are not what they should be.
        case wrongDigest(JSONValue)
        case otherSize(JSONValue)
        /// Of the right size, and another digest than the one that is expected.
        case otherContent(JSONValue)
        /// Of the right size, and nothing tells what it is.
        case unclear(JSONValue)
    }

    /// Compares an object by the digest that is expected, else by the ETag that its parts make.
    ///
    /// - Parameters:
    ///   - etag: what this upload's object has; nil: that cannot be known.
    ///   - isOver: whether the multipart upload is gone, completed by us or by others: then it has no parts any more.
    func likeness(
        _ object: S3Client.Object, _ session: S3Session, _ etag: String?, isOver: Bool, _ work: StoreWork
    ) async throws(StoreFault) -> Likeness {
        var detail = S3Detail(session, object, etag: etag)
        guard object.bytes == session.plan.totalBytes else { return .otherSize(detail.json) }
        let isMade = etag.map { $0.lowercased() == object.etag.lowercased() } ?? false
        let same = Likeness.same(
            Publication(
                location: client.address.url(path: client.address.path(session.key)), etag: object.etag,
                bytes: object.bytes, leavesNothing: isOver))
        guard let expected = session.sha256 else { return isMade ? same : .unclear(detail.json) }
        switch await client.sha256(session.key, bytesMax: object.bytes, work) {
        case .failure(let failure): throw failure.fault
        case .success(let read):
            guard let read, read.bytes == object.bytes else {
                throw StoreFault(.unreadable, "The object changed while it was read.")
            }
            if read.digest == expected { return same }
            detail.sha256 = read.digest
            return isMade ? .wrongDigest(detail.json) : .otherContent(detail.json)
        }
    }
}
