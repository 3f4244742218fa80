/// What a listener tells.
public enum PostgresListenerEvent: Hashable, Sendable {
    /// Listening began, for the first time or again after a lost connection: what was notified in between is gone, so
    /// the consumer should look for itself.
    case listening
    case notification(channel: String, payload: String)
}
