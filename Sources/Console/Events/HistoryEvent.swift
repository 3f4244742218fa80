import JSON
import NIOCore
import PostgresStore

/// An entry of the history as a server-sent event (WHATWG HTML, section 9.2).
///
/// `data` is the entry, with the history's own `id`. The event's id is the place to begin again from, which may lie before the
/// entry: an earlier one may not have been committed yet. So an event may come again after a break, and none is missed.
enum HistoryEvent {
    static func encoded(_ entry: HistoryTail.Entry, noun: String, resume: Int64) -> ByteBuffer {
        // Line breaks inside JSON texts are escaped; the document itself has none.
        ByteBuffer(string: "id: \(resume)\nevent: \(name(entry, noun: noun))\ndata: \(entry.json)\n\n")
    }

    /// `order.paid`, `upload.complete`, `order.resolved`, `timer.added`; `timer.changed` where no name says more.
    static func name(_ entry: HistoryTail.Entry, noun: String) -> String {
        // Whoever listens gets the entry as it stands, also one that we cannot read.
        guard let json = try? JSONValue(parsing: entry.json) else { return "\(noun).changed" }
        switch json["reason"]?.string {
        case "RESOLVED": return "\(noun).resolved"
        case "ADDED": return "\(noun).added"
        case "REMOVED": return "\(noun).removed"
        default: break
        }
        // A review may leave the status as it is: a paid order that its gateway does not know stays paid.
        if json["verdict"]?.string == "review" { return "\(noun).review" }
        let after = json["status_after"]?.string ?? ""
        let named = ["order": ["paid", "closed", "review"], "upload": ["complete", "expired", "review"]]
        guard json["status_before"]?.string != after, named[noun]?.contains(after) ?? false else {
            return "\(noun).changed"
        }
        return "\(noun).\(after)"
    }
}
