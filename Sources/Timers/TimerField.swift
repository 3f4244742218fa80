import JSON
import Outgoing
import Timeline

/// What the fields of a timer that is handed in may hold; the table's constraints say the same.
enum TimerField {
    static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    static let bodyBytesMax = 64 << 10
    static let headerCountMax = 50
    static let headerBytesMax = 8 << 10
    static let everyRange = Duration.milliseconds(10) ... .seconds(36_500 * 86_400)
    static let timeoutRange = Duration.milliseconds(1) ... .seconds(600)
    static let runsAllowed = "a whole number above zero"
    static let statusAllowed = "a status code from 200 to 599; left out: any from 200 to 299"

    /// Set by us, or by the connection; a second one would be another message.
    private static let reservedHeaders: Set<String> = [
        "connection", "content-length", "expect", "host", "idempotency-key", "keep-alive", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    static func duration(
        _ field: String, _ text: String, in range: ClosedRange<Duration>
    ) throws(InputError) -> Duration {
        let allowed =
            "whole milliseconds from \(range.lowerBound.text) to \(range.upperBound.text), written like 250ms, 1m30s or 24h"
        guard let duration = Duration(text: text) else {
            throw InputError(field, problem: "is not a duration", allowed: allowed)
        }
        // PostgreSQL reads 10ms500us for no interval.
        guard duration.wholeMicroseconds % 1_000 == 0 else {
            throw InputError(field, problem: "is too fine", allowed: allowed)
        }
        guard range.contains(duration) else {
            throw InputError(
                field, problem: duration < range.lowerBound ? "is too short" : "is too long", allowed: allowed)
        }
        return duration
    }

    static func url(_ field: String, _ text: String, targets: TargetPolicy) throws(InputError) -> String {
        guard let url = EndpointURL(text) else {
            throw InputError(field, problem: "is not a URL to call", allowed: EndpointURL.allowed)
        }
        guard targets.verdict(on: url) != .forbidden else {
            throw InputError(
                field, problem: "names a host that timers may not call",
                allowed: "the hosts of watches.timers.allowedHosts")
        }
        return text
    }

    static func method(_ field: String, _ text: String) throws(InputError) -> String {
        guard methods.contains(text) else {
            throw InputError(field, problem: "is no such method", allowed: methods.joined(separator: ", "))
        }
        return text
    }

    static func body(_ field: String, _ text: String) throws(InputError) -> String {
        guard text.utf8.count <= bodyBytesMax, !text.utf8.contains(0) else {
            throw InputError(field, problem: "cannot be stored", allowed: "at most 64 KiB of text without NUL")
        }
        return text
    }

    static func anchor(_ field: String, _ anchor: Timestamp) throws(InputError) -> Timestamp {
        // 3000-01-01
        guard anchor.microseconds < 32_503_680_000_000_000 else {
            throw InputError(field, problem: "is too late", allowed: "a time before the year 3000")
        }
        return anchor
    }

    static func status(_ field: String, _ text: String) throws(InputError) -> String {
        guard text == "active" || text == "paused" else {
            throw InputError(field, problem: "is not a status to begin with", allowed: "active, paused")
        }
        return text
    }

    static func catchUp(_ field: String, _ text: String) throws(InputError) -> Timer.CatchUp {
        guard let value = Timer.CatchUp(rawValue: text) else {
            throw InputError(
                field, problem: "is no such way",
                allowed: Timer.CatchUp.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return value
    }

    /// The members of an object of texts, in its order.
    static func headers(_ field: String, _ value: JSONValue) throws(InputError) -> [(name: String, value: String)] {
        func refusal(_ problem: String) -> InputError {
            InputError(
                field, problem: problem,
                allowed: "an object of at most \(headerCountMax) texts by header name, 8 KiB in all, without "
                    + reservedHeaders.sorted().joined(separator: ", "))
        }
        guard case .object(let members) = value else { throw refusal("is not a JSON object") }
        guard members.count <= headerCountMax else { throw refusal("has too many members") }
        var headers: [(name: String, value: String)] = []
        var bytes = 0
        var names: Set<String> = []
        for member in members {
            guard let text = member.value.string else { throw refusal("has a value that is not a text") }
            guard isToken(member.name) else { throw refusal("has a name that is none of a header") }
            let name = member.name.lowercased()
            guard !reservedHeaders.contains(name) else { throw refusal("sets \(name)") }
            guard names.insert(name).inserted else { throw refusal("names \(name) twice") }
            guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) else {
                throw refusal("has a value of \(name) that is not plain ASCII")
            }
            bytes += name.utf8.count + text.utf8.count
            headers.append((name: member.name, value: text))
        }
        guard bytes <= headerBytesMax else { throw refusal("is too large") }
        return headers
    }

    /// RFC 9110, section 5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }
}
