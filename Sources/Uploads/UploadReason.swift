/// The words of `review_reason`, and the reasons of a check that changes nothing else.
public enum UploadReason {
    // Reviews.

    public static let digestMismatch = "DIGEST_MISMATCH"
    public static let sizeMismatch = "SIZE_MISMATCH"
    public static let targetExists = "TARGET_EXISTS"
    /// `complete` was written by someone else, and no file is there.
    public static let targetMissing = "TARGET_MISSING"
    /// The row's numbers do not make up a file.
    public static let invalidSession = "INVALID_SESSION"
    public static let poison = "POISON"

    /// Reviews that these rules give by themselves; those that a store gives are noted in `progress`.
    static let given: Set<String> = [
        digestMismatch, sizeMismatch, targetExists, targetMissing, invalidSession, poison,
    ]

    /// Reviews of rows that nothing outside can set right.
    static let impossible: Set<String> = [invalidSession, invalidName, noUploadID]

    // What a check found or did.

    public static let chunksMissing = "CHUNKS_MISSING"
    public static let notQuiescent = "NOT_QUIESCENT"
    public static let chunksWhole = "CHUNKS_WHOLE"
    public static let chunksChanged = "CHUNKS_CHANGED"
    public static let noSpace = "NO_SPACE"
    public static let merged = "MERGED"
    /// It was there, whole, without a merge of ours.
    public static let foundComplete = "FOUND_COMPLETE"
    public static let expired = "EXPIRED"
    public static let kept = "KEPT"
    public static let discarded = "DISCARDED"
    public static let reclaimed = "RECLAIMED"
    /// A person ended a session whose row does not say what in the store is its own, or says it as the store cannot.
    public static let notReclaimed = "NOT_RECLAIMED"
    public static let alreadyReclaimed = "ALREADY_RECLAIMED"
    /// A review that someone else gave: never decided by the machine.
    public static let foreignReview = "FOREIGN_REVIEW"
    /// A status that is not one of ours, of a mapped table: never touched.
    public static let foreignStatus = "FOREIGN_STATUS"
    public static let unavailable = "UNAVAILABLE"
    public static let unreadable = "UNREADABLE"
    public static let misconfigured = "MISCONFIGURED"
    public static let interrupted = "INTERRUPTED"
    public static let dryRun = "dry_run"
}
