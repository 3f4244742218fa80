/// What a check concluded.
public enum Verdict: String, Sendable, CaseIterable {
    /// The row is as it should be: its status was fixed, or it needs no more checks.
    case settled
    /// "Not yet" is an answer, not a failure: ask again by cadence.
    case recheck
    /// No usable answer (transport, 5xx, unreadable): the status stays, failures back off.
    case failed
    /// A human must decide.
    case review
    /// Someone else changed the status while we asked; nothing was overwritten.
    case overtaken
}
