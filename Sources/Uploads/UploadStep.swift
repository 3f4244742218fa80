import Reconciling
import Timeline

/// What a store is asked to do.
public enum UploadAction: String, Hashable, Sendable, CaseIterable {
    case inspect, merge, prove, reclaim, discard, restore, purge

    /// Whether it only looks.
    public var isReadOnly: Bool { self == .inspect || self == .prove }
}

/// What came of it.
public enum UploadFinding: Hashable, Sendable {
    case inventory(Inventory)
    case merge(MergeOutcome)
    case proof(CompletionProof)
    /// Bytes.
    case reclaimed(Int64)
    case discarded(Discarded)
    /// Bytes; nil: not yet, for something is in the way.
    case restored(Int64?)
    /// Bytes.
    case purged(Int64)
    case fault(StoreFault)
}

/// What the rules want next of a check.
public enum UploadStep: Hashable, Sendable {
    case act(UploadAction)
    case conclude(UploadDecision)
}

/// What the decision table makes of one check.
public struct UploadDecision: Hashable, Sendable {
    /// What a dry run did not do.
    public struct Would: Hashable, Sendable {
        public var verdict: Verdict?
        public var reason: String?
        public var status: String?
        public var reviewReason: String?
        public var action: UploadAction?
    }

    public var verdict: Verdict
    public var next: Next
    /// Nil writes the schedule only.
    public var change: UploadChange?
    /// Machine-readable.
    public var reason: String
    /// For people.
    public var error: String?
    public var progress: UploadProgress
    public var laneSignal: LaneSignal
    /// The activity that the cadence counts from, if the check learned it.
    public var cadenceAnchor: Timestamp?
    public var would: Would?

    public init(
        _ verdict: Verdict, next: Next, change: UploadChange? = nil, reason: String, error: String? = nil,
        progress: UploadProgress = .init(), laneSignal: LaneSignal = .answered, cadenceAnchor: Timestamp? = nil,
        would: Would? = nil
    ) {
        self.verdict = verdict
        self.next = next
        self.change = change
        self.reason = reason
        self.error = error
        self.progress = progress
        self.laneSignal = laneSignal
        self.cadenceAnchor = cadenceAnchor
        self.would = would
    }
}
