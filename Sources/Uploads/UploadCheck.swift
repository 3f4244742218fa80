import JSON
import Reconciling
import Synchronization
import Timeline

/// One check under way: asks the store what the rules want to know, until they have decided.
struct UploadCheck {
    private let claim: Claim<Upload>
    private let lane: UploadLane
    private let context: CheckContext
    private var rules: UploadRules
    private var answer = UploadAnswer()
    /// Written by the store's checkpoints, which may come from any thread.
    private let noted: NotedProgress

    init(_ claim: Claim<Upload>, _ lane: UploadLane, _ context: CheckContext) {
        self.claim = claim
        self.lane = lane
        self.context = context
        let progress = UploadProgress(json: claim.progress)
        noted = NotedProgress(progress)
        rules = UploadRules(
            claim.row, policy: lane.policy, progress: progress, failureCount: claim.failureCount,
            isDryRun: context.isDryRun)
    }

    mutating func run() async -> Conclusion<UploadChange> {
        var step = rules.begin(at: context.now())
        while true {
            switch step {
            case .conclude(let decision): return Conclusion(decision, answer: answer.json(decision))
            case .act(let action):
                guard let plan = claim.row.plan else { preconditionFailure("the rules act on no impossible plan") }
                let begunAt = context.now()
                let finding = await finding(action, plan)
                answer.add(action, finding)
                let latest = noted.value
                rules.progress.mergedBytes = latest.mergedBytes
                rules.progress.state = latest.state
                step = rules.found(finding, begunAt: begunAt, at: context.now())
            }
        }
    }

    private func finding(_ action: UploadAction, _ plan: ChunkPlan) async -> UploadFinding {
        let store = lane.store
        var upload = claim.row
        // As this check has seen it: the row learns of it with the settle.
        upload.lastActivityAt = rules.chunkActivityAt ?? upload.lastActivityAt
        // What the rules noted meanwhile, and what the store did.
        noted.keep(rules.progress)
        switch action {
        case .inspect: return await store.inspect(upload, plan: plan, work: work).finding { .inventory($0) }
        case .merge: return .merge(await store.merge(upload, plan: plan, work: work))
        case .prove: return await store.proof(upload, plan: plan, work: work).finding { .proof($0) }
        case .reclaim: return await store.reclaim(upload, plan: plan, work: work).finding { .reclaimed($0) }
        case .discard: return await store.discard(upload, plan: plan, work: work).finding { .discarded($0) }
        case .restore: return await store.restore(upload, plan: plan, work: work).finding { .restored($0) }
        case .purge: return await store.purge(upload, plan: plan, work: work).finding { .purged($0) }
        }
    }

    private var work: StoreWork {
        let (context, noted, row) = (context, noted, claim.row)
        return StoreWork(
            token: claim.lease.token, deadline: context.deadline, now: context.now,
            leaseRemaining: context.leaseRemaining, state: noted.value.state,
            checkpoint: { mergedBytes, state in
                let progress = noted.with(mergedBytes: mergedBytes, state: state)
                guard try await context.journal(progress.journaled(of: row)) else { return false }
                noted.keep(progress)
                return true
            })
    }
}

/// The progress as it stands in the row.
private final class NotedProgress: Sendable {
    private let progress: Mutex<UploadProgress>

    init(_ progress: UploadProgress) {
        self.progress = Mutex(progress)
    }

    var value: UploadProgress { progress.withLock { $0 } }

    func with(mergedBytes: Int64, state: JSONValue) -> UploadProgress {
        var next = value
        next.mergedBytes = mergedBytes
        next.state = state.isNull ? nil : state
        return next
    }

    func keep(_ next: UploadProgress) { progress.withLock { $0 = next } }
}

extension Result where Failure == StoreFault {
    fileprivate func finding(_ wrap: (Success) -> UploadFinding) -> UploadFinding {
        switch self {
        case .success(let value): wrap(value)
        case .failure(let fault): .fault(fault)
        }
    }
}
