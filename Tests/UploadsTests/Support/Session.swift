import JSON
import Reconciling
import Timeline

@testable import Uploads

/// A session of three chunks, 12 bytes in all, and the script of a check on it.
enum Session {
    static let created = Timestamp("2026-11-23T14:00:00Z")!
    /// A minute later.
    static let now = created + .seconds(60)
    /// When it is over if nothing ever came.
    static let late = created + .seconds(3_600)
    static let policy = UploadPolicy(
        quiescence: .seconds(5), expireAfter: .seconds(3_600), reclaimAfter: .seconds(600),
        cadence: [.seconds(5), .seconds(30), .seconds(300)])

    static func upload(
        status: String = "receiving", chunkCount: Int = 3, received: Int = 0, lastActivityAt: Timestamp? = nil,
        expiresAt: Timestamp? = nil, reclaimedAt: Timestamp? = nil, reviewReason: String? = nil
    ) -> Upload {
        Upload(
            id: "U-1", store: "local", name: "a.bin", totalBytes: 12, chunkBytes: 5, chunkCount: chunkCount,
            status: status, receivedChunks: received, createdAt: created, lastActivityAt: lastActivityAt,
            expiresAt: expiresAt, reclaimedAt: reclaimedAt, reviewReason: reviewReason)
    }

    /// All there and quiet for an hour.
    static let whole = Inventory(
        received: 3, receivedBytes: 12, lastActivityAt: created, quietFor: .seconds(3_600), fingerprint: "whole")
    static let holed = Inventory(
        received: 2, receivedBytes: 10, missing: ChunkRanges([1]), lastActivityAt: created, quietFor: .seconds(60),
        fingerprint: "holed")
    static let gone = Inventory(
        received: 0, receivedBytes: 0, missing: ChunkRanges(0...2), fingerprint: "gone", isSessionGone: true)
    static let empty = Inventory(received: 0, receivedBytes: 0, missing: ChunkRanges(0...2), fingerprint: "empty")

    static let publication = Publication(location: "/t/a.bin", etag: "abc", bytes: 12)
    static let detail = JSONValue.object([.init("chunk", .number("1"))])

    static func claim(
        _ upload: Upload, progress: String? = nil, failureCount: Int = 0, claimCount: Int = 1
    ) -> Claim<Upload> {
        Claim(
            row: upload, lease: Lease(token: 7), dueAt: created, claimedAt: now,
            cadenceAnchor: upload.lastActivityAt ?? upload.createdAt, failureCount: failureCount,
            claimCount: claimCount, progress: progress)
    }

    struct Outcome {
        var actions: [UploadAction] = []
        /// Nil if the rules wanted another finding than the script had.
        var decision: UploadDecision?

        var status: String? { decision?.change?.status }
    }

    /// Plays a check: each thing the rules ask for takes the next finding.
    static func play(
        _ upload: Upload, _ findings: UploadFinding..., policy: UploadPolicy = policy,
        progress: UploadProgress = .init(), at now: Timestamp = now, failureCount: Int = 0, isDryRun: Bool = false
    ) -> Outcome {
        var rules = UploadRules(
            upload, policy: policy, progress: progress, failureCount: failureCount, isDryRun: isDryRun)
        var outcome = Outcome()
        var left = findings[...]
        var step = rules.begin(at: now)
        while case .act(let action) = step {
            outcome.actions.append(action)
            guard let finding = left.popFirst() else { return outcome }
            step = rules.found(finding, begunAt: now, at: now)
        }
        if case .conclude(let decision) = step { outcome.decision = decision }
        return outcome
    }
}
