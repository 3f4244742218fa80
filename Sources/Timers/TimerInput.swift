import JSON
import Timeline

/// A timer as an application, the CLI or the API hands it in; checked at the edge, so that everything behind it is sound.
public struct TimerInput: Hashable, Sendable {
    /// The fields that a JSON object may have: the columns' names.
    public static let fields = [
        "id", "every", "anchor_at", "lane", "url", "method", "headers", "body", "catch_up", "max_runs", "ends_at",
        "timeout", "expect_status", "status", "next_check_at", "metadata",
    ]

    public var id: String
    public var every: Duration
    /// Nil: now.
    public var anchorAt: Timestamp?
    public var lane: String
    public var url: String
    public var method: String
    /// A JSON object of texts, as text.
    public var headers: String?
    public var body: String?
    public var catchUp: Timer.CatchUp
    public var maxRuns: Int64?
    public var endsAt: Timestamp?
    public var timeout: Duration?
    public var expectStatus: Int?
    /// `active` or `paused`.
    public var status: String
    public var firstCheck: FirstCheck
    /// A JSON object as text.
    public var metadata: String?

    /// Reads one JSON object with the columns' names, durations written like `1m30s`; null stands for what a field
    /// is when left out, but for `next_check_at`, where it puts the timer to rest. Throws `InputError` for the first
    /// value that is not allowed.
    ///
    /// - Parameter targets: the hosts that may be called; each call is held to it again, for a timer may be older than it.
    public init(json: JSONValue, targets: TargetPolicy = .everywhere) throws(InputError) {
        let reader = try FieldReader(json, what: "timer", fields: Self.fields)
        id = try FieldRules.text("id", try reader.requiredString("id"))
        every = try TimerField.duration("every", try reader.requiredString("every"), in: TimerField.everyRange)
        anchorAt =
            if let anchor = try reader.timestamp("anchor_at") {
                try TimerField.anchor("anchor_at", anchor)
            } else {
                nil
            }
        lane = try FieldRules.lane("lane", try reader.string("lane") ?? "timers", what: "lane")
        url = try TimerField.url("url", try reader.requiredString("url"), targets: targets)
        body = if let text = try reader.string("body") { try TimerField.body("body", text) } else { nil }
        method =
            if let text = try reader.string("method") { try TimerField.method("method", text) } else {
                body == nil ? "GET" : "POST"
            }
        if let value = reader.value("headers") {
            _ = try TimerField.headers("headers", value)
            headers = value.text
        }
        catchUp = try TimerField.catchUp("catch_up", try reader.string("catch_up") ?? "skip")
        maxRuns = try reader.integer("max_runs", in: 1...Int64.max, allowed: TimerField.runsAllowed)
        endsAt = try reader.timestamp("ends_at")
        timeout =
            if let text = try reader.string("timeout") {
                try TimerField.duration("timeout", text, in: TimerField.timeoutRange)
            } else {
                nil
            }
        expectStatus = try reader.integer("expect_status", in: 200...599, allowed: TimerField.statusAllowed).map(
            Int.init)
        status = try TimerField.status("status", try reader.string("status") ?? "active")
        firstCheck = try reader.firstCheck("next_check_at")
        metadata = try reader.metadata("metadata")
    }
}
