import Reconciling
import Synchronization
import Testing
import Timeline

@testable import Uploads

/// A session in its table, as the engine would carry it from check to check: claims when it is due, and settles as the
/// statement does.
struct WatchedSession {
    var upload: Upload
    var progress: String?
    var now = Session.now
    /// Nil: at rest.
    var dueAt: Timestamp? = Session.now
    var failureCount = 0
    var reclaimedBytes: Int64 = 0
    /// Every status it had, in order.
    var statuses: [String]
    var last: Conclusion<UploadChange>?
    /// What the journal wrote.
    var journaled: [String] = []

    init(_ upload: Upload) {
        self.upload = upload
        statuses = [upload.status]
    }

    /// Moves on to when the row is due, checks it, and writes what was concluded. False if it is at rest.
    mutating func check(
        _ reconciler: UploadReconciler, isDryRun: Bool = false,
        lease: @escaping @Sendable () -> Duration = { .seconds(60) },
        journal: @escaping @Sendable () throws -> Bool = { true }
    ) async -> Bool {
        guard let dueAt else { return false }
        now = max(now, dueAt)
        var claim = Session.claim(upload, progress: progress, failureCount: failureCount)
        claim.claimedAt = now
        let (instant, written) = (now, Journal())
        var context = CheckContext(
            deadline: .distantFuture, now: { instant }, leaseRemaining: lease,
            journal: { progress in
                guard try journal() else { return false }
                written.lines.withLock { $0.append(progress) }
                return true
            })
        context.isDryRun = isDryRun
        let conclusion = await reconciler.check(claim, context: context)
        last = conclusion
        let lines = written.lines.withLock { $0 }
        journaled += lines
        if let line = lines.last { progress = line }
        settle(conclusion)
        return true
    }

    private mutating func settle(_ conclusion: Conclusion<UploadChange>) {
        switch conclusion.next {
        case .handBack: return
        case .rest: dueAt = nil
        case .after(let wait): dueAt = now + wait
        case .cadence, .backoff: dueAt = now + .seconds(30)
        }
        failureCount = conclusion.verdict == .failed ? failureCount + 1 : 0
        progress = conclusion.progress
        guard let change = conclusion.change else { return }
        if change.status != upload.status { statuses.append(change.status) }
        upload.status = change.status
        upload.receivedChunks = change.receivedChunks ?? upload.receivedChunks
        upload.mergedBytes = change.mergedBytes ?? upload.mergedBytes
        upload.lastActivityAt = [upload.lastActivityAt, change.lastActivityAt].compactMap { $0 }.max()
        upload.reviewReason = change.reviewReason
        if let bytes = change.reclaimedBytes {
            upload.reclaimedAt = now
            reclaimedBytes += bytes
        }
    }
}

private final class Journal: Sendable {
    let lines = Mutex<[String]>([])
}
