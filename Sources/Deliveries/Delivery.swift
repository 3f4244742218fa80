import Reconciling
import Timeline

/// A row of `reconciled.deliveries` as its claim read it: one event for one endpoint.
public struct Delivery: Row, Hashable {
    /// The number of the row, as text.
    public var id: String
    public var endpoint: String
    /// The same for all endpoints of one event, and for each attempt.
    public var eventID: String
    public var eventType: String
    /// What the event is about, e.g. `orders/A-1`: events of one subject are delivered in order.
    public var subject: String
    /// The JSON text that is sent, and signed, as it stands.
    public var payload: String
    /// `pending`, `delivered`, `review`.
    public var status: String
    /// An earlier one of the subject is pending and falls due then; nil if there is none.
    public var waitsFor: Timestamp?

    public init(
        id: String, endpoint: String, eventID: String, eventType: String, subject: String, payload: String,
        status: String = "pending", waitsFor: Timestamp? = nil
    ) {
        self.id = id
        self.endpoint = endpoint
        self.eventID = eventID
        self.eventType = eventType
        self.subject = subject
        self.payload = payload
        self.status = status
        self.waitsFor = waitsFor
    }

    public var lane: String { endpoint }
}
