import PostgresStore
import Testing

@testable import Console

@Suite struct HistoryEventTests {
    @Test(arguments: [
        (
            "order", #"{"verdict":"settled","status_before":"pending","status_after":"paid","reason":"PAID"}"#,
            "order.paid"
        ),
        ("order", #"{"verdict":"review","status_before":"pending","status_after":"review"}"#, "order.review"),
        // The machine never takes a payment back: what is for a human may keep its status.
        ("order", #"{"verdict":"review","status_before":"paid","status_after":"paid"}"#, "order.review"),
        ("order", #"{"verdict":"overtaken","status_before":"paid","status_after":"paid"}"#, "order.changed"),
        ("order", #"{"status_before":"review","status_after":"paid","reason":"RESOLVED"}"#, "order.resolved"),
        ("upload", #"{"verdict":"settled","status_before":"merging","status_after":"complete"}"#, "upload.complete"),
        ("upload", #"{"verdict":"recheck","status_before":"receiving","status_after":"merging"}"#, "upload.changed"),
        ("timer", #"{"status_before":"active","status_after":"active","reason":"ADDED"}"#, "timer.added"),
        ("timer", #"{"status_before":"active","status_after":"active","reason":"REMOVED"}"#, "timer.removed"),
        ("timer", #"{"verdict":"settled","status_before":"active","status_after":"finished"}"#, "timer.changed"),
        ("lane", "{}", "lane.changed"),
    ])
    func anEventSaysWhatHappened(noun: String, json: String, name: String) {
        #expect(HistoryEvent.name(HistoryTail.Entry(id: 1, watch: "x", json: json), noun: noun) == name)
    }
}
