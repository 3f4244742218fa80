import JSON
import Synchronization

@testable import Uploads

/// A store in memory: chunks, a target and a trash, and what a test wants to go wrong.
final class MemoryStore: ChunkStore {
    struct Record {
        var inventory = Session.whole
        var hasTarget = false
        /// Answers instead of the real ones, first come.
        var merges: [MergeOutcome] = []
        var fault: StoreFault?
        var proof: CompletionProof?
        /// Bytes noted at each checkpoint of a merge, in turn.
        var checkpoints: [Int64] = []
        /// What was done, in order.
        var log: [String] = []
        var states: [JSONValue?] = []
        var chunkBytes: Int64 = 12
        var trashBytes: Int64 = 0
    }

    private let record: Mutex<Record>

    init(_ change: (inout Record) -> Void = { _ in }) {
        var first = Record()
        change(&first)
        record = Mutex(first)
    }

    func change(_ change: @Sendable (inout Record) -> Void) { record.withLock { change(&$0) } }
    var seen: Record { record.withLock { $0 } }

    private func began(_ what: String, _ work: StoreWork) -> Record {
        record.withLock {
            $0.log.append(what)
            $0.states.append(work.state)
            return $0
        }
    }

    func inspect(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Inventory, StoreFault> {
        let record = began("inspect", work)
        return record.fault.map { .failure($0) } ?? .success(record.inventory)
    }

    func merge(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> MergeOutcome {
        let record = began("merge", work)
        if let fault = record.fault { return .fault(fault) }
        for bytes in record.checkpoints {
            let state = JSONValue.object([.init("at", .number(String(bytes)))])
            do {
                guard try await work.checkpoint(bytes, state) else { return .interrupted }
            } catch {
                return .fault(StoreFault(.interrupted, "The checkpoint was not written."))
            }
        }
        return self.record.withLock {
            guard $0.merges.isEmpty else { return $0.merges.removeFirst() }
            $0.hasTarget = true
            return .published(Session.publication)
        }
    }

    func proof(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<CompletionProof, StoreFault> {
        let record = began("prove", work)
        if let fault = record.fault { return .failure(fault) }
        return .success(record.proof ?? (record.hasTarget ? .complete(Session.publication) : .incomplete))
    }

    func reclaim(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64, StoreFault> {
        let record = began("reclaim", work)
        if let fault = record.fault { return .failure(fault) }
        change { $0.chunkBytes = 0 }
        return .success(record.chunkBytes)
    }

    func discard(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Discarded, StoreFault> {
        let record = began("discard", work)
        if let fault = record.fault { return .failure(fault) }
        change { ($0.chunkBytes, $0.trashBytes) = (0, $0.chunkBytes) }
        return .success(Discarded(bytes: record.chunkBytes, isKept: true))
    }

    func restore(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64?, StoreFault> {
        let record = began("restore", work)
        if let fault = record.fault { return .failure(fault) }
        if record.inventory.obstacle != nil { return .success(nil) }
        change { ($0.chunkBytes, $0.trashBytes) = ($0.chunkBytes + $0.trashBytes, 0) }
        return .success(record.trashBytes)
    }

    func purge(_ upload: Upload, plan: ChunkPlan, work: StoreWork) async -> Result<Int64, StoreFault> {
        let record = began("purge", work)
        if let fault = record.fault { return .failure(fault) }
        change { $0.trashBytes = 0 }
        return .success(record.trashBytes)
    }
}
