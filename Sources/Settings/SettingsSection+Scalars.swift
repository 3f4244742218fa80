import Foundation
import Timeline

extension SettingsSection {
    /// Text as it is written: `007`, `yes` and `1e3` stay what they are.
    public mutating func string(_ key: String) throws -> String? {
        guard let value = try value(key) else { return nil }
        return try text(value, key, allowed: "a text")
    }

    /// As `string`, but absent, null and empty are errors.
    public mutating func requiredString(_ key: String) throws -> String {
        guard let text = try string(key), !text.isEmpty else {
            throw self.error(key, problem: "the key is required", allowed: "a text that is not empty")
        }
        return text
    }

    /// An absolute http or https address without credentials.
    public mutating func requiredURL(_ key: String) throws -> URL {
        let text = try requiredString(key)
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host?.isEmpty == false,
            url.user == nil, url.password == nil
        else {
            throw error(
                key, problem: "the value is not a web address", allowed: "https://host/… without user and password")
        }
        return url
    }

    public mutating func duration(_ key: String, in range: ClosedRange<Duration>) throws -> Duration? {
        guard let value = try value(key) else { return nil }
        return try duration(value, key, in: range)
    }

    /// A list of durations; at least one.
    public mutating func durations(_ key: String, in range: ClosedRange<Duration>) throws -> [Duration]? {
        let allowed = "a list of \(Self.durations(in: range))"
        guard let items = try items(key, allowed: allowed) else { return nil }
        guard !items.isEmpty else { throw self.error(key, problem: "the list is empty", allowed: allowed) }
        return try items.map { try duration($0, key, in: range) }
    }

    public mutating func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let value = try value(key) else { return nil }
        let allowed = "a whole number between \(range.lowerBound) and \(range.upperBound)"
        let text = try text(value, key, allowed: allowed)
        guard let number = Int(decimal: text) else {
            throw failure(value, key, "\(quoted(text)) is not a whole number", allowed)
        }
        guard range.contains(number) else { throw failure(value, key, "\(number) is out of range", allowed) }
        return number
    }

    /// `true` or `false`, nothing else: YAML versions disagree about `yes` and `on`.
    public mutating func boolean(_ key: String) throws -> Bool? {
        guard let value = try value(key) else { return nil }
        let text = try text(value, key, allowed: "true or false")
        guard let boolean = Bool(text) else {
            throw failure(value, key, "\(quoted(text)) is not a truth value", "true or false")
        }
        return boolean
    }

    public mutating func timestamp(_ key: String) throws -> Timestamp? {
        guard let value = try value(key) else { return nil }
        let allowed = "a time as in RFC 3339, such as 2026-11-23T14:02:11Z"
        let text = try text(value, key, allowed: allowed)
        guard let timestamp = Timestamp(text), timestamp != .distantPast, timestamp != .distantFuture else {
            throw failure(value, key, "\(quoted(text)) is not a time", allowed)
        }
        return timestamp
    }

    /// Bytes.
    public mutating func size(_ key: String, in range: ClosedRange<Int64>) throws -> Int64? {
        guard let value = try value(key) else { return nil }
        let bounds = "between \(ByteSize.text(range.lowerBound)) and \(ByteSize.text(range.upperBound))"
        let allowed = "a size such as 512KiB, 1GiB or a number of bytes, \(bounds)"
        let text = try text(value, key, allowed: allowed)
        guard let size = ByteSize.parse(text) else {
            throw failure(value, key, "\(quoted(text)) is not a size", allowed)
        }
        guard range.contains(size) else { throw failure(value, key, "\(text) is out of range", allowed) }
        return size
    }

    public mutating func rate(_ key: String) throws -> Rate? {
        guard let value = try value(key) else { return nil }
        let text = try text(value, key, allowed: Rate.allowed)
        guard let rate = Rate(text: text) else {
            throw failure(value, key, "\(quoted(text)) is not a rate", Rate.allowed)
        }
        return rate
    }

    /// One of the enumeration's raw values.
    public mutating func choice<T: RawRepresentable & CaseIterable>(_ key: String, _ type: T.Type) throws -> T?
    where T.RawValue == String {
        guard let value = try value(key) else { return nil }
        let allowed = T.allCases.map(\.rawValue).joined(separator: ", ")
        let text = try text(value, key, allowed: allowed)
        guard let choice = T(rawValue: text) else {
            throw failure(value, key, "\(quoted(text)) is not a choice", allowed)
        }
        return choice
    }

    private func duration(
        _ value: SettingsNode, _ key: String, in range: ClosedRange<Duration>
    ) throws(SettingsError) -> Duration {
        let allowed = Self.durations(in: range)
        let text = try text(value, key, allowed: allowed)
        guard let duration = Duration(text: text) else {
            throw failure(value, key, "\(quoted(text)) is not a duration", allowed)
        }
        guard range.contains(duration) else { throw failure(value, key, "\(text) is out of range", allowed) }
        return duration
    }

    private static func durations(in range: ClosedRange<Duration>) -> String {
        "250ms, 3s, 1m30s, 24h, 7d between \(range.lowerBound.text) and \(range.upperBound.text)"
    }
}
