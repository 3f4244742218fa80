import Timeline

/// One parameter of a query: its type and its value in PostgreSQL's binary format; nil is NULL.
///
/// A value that PostgreSQL cannot hold (text with a NUL byte, an interval beyond its range) is refused when the query
/// is sent, by an error that names the parameter's position.
public struct PostgresParameter: Hashable, Sendable {
    enum Fault: Hashable, Sendable {
        case containsNUL
        case outOfRange
        case tooLong

        var text: String {
            switch self {
            case .containsNUL: "holds a NUL byte, which PostgreSQL's text cannot"
            case .outOfRange: "is outside the range of its PostgreSQL type"
            case .tooLong: "is larger than 1 GiB"
            }
        }
    }

    let type: UInt32
    let bytes: [UInt8]?
    let fault: Fault?

    private init(type: UInt32, encoded: BinaryEncoder?) {
        self.type = type
        bytes = encoded?.bytes
        // PostgreSQL's own limit for one value; beyond it the length prefix would wrap.
        fault = encoded?.fault ?? ((encoded?.bytes.count ?? 0) > 1 << 30 ? .tooLong : nil)
    }

    private static func scalar<T>(_ type: UInt32, _ value: T?, _ put: (inout BinaryEncoder, T) -> Void) -> Self {
        guard let value else { return Self(type: type, encoded: nil) }
        var encoder = BinaryEncoder()
        put(&encoder, value)
        return Self(type: type, encoded: encoder)
    }

    /// `array_send`'s format: dimensions, has-null flag, element type, then length and lower bound, then the elements.
    private static func array<T>(
        _ type: UInt32, of elementType: UInt32, _ values: [T?], _ put: (inout BinaryEncoder, T) -> Void
    ) -> Self {
        var encoder = BinaryEncoder(capacity: 20 + values.count * 12)
        encoder.put(int32: values.isEmpty ? 0 : 1)
        encoder.put(int32: values.contains { $0 == nil } ? 1 : 0)
        encoder.put(int32: Int32(bitPattern: elementType))
        if !values.isEmpty {
            encoder.put(int32: Int32(clamping: values.count))
            encoder.put(int32: 1)
        }
        for value in values {
            guard let value else {
                encoder.put(int32: -1)
                continue
            }
            let start = encoder.beginSized()
            put(&encoder, value)
            encoder.endSized(start)
        }
        return Self(type: type, encoded: encoder)
    }
}

extension PostgresParameter {
    public static func text(_ value: String?) -> Self { scalar(PostgresType.text, value) { $0.put(text: $1) } }
    public static func bool(_ value: Bool?) -> Self { scalar(PostgresType.bool, value) { $0.put(bool: $1) } }
    public static func int4(_ value: Int32?) -> Self { scalar(PostgresType.int4, value) { $0.put(int32: $1) } }
    public static func int8(_ value: Int64?) -> Self { scalar(PostgresType.int8, value) { $0.put(int64: $1) } }
    public static func float8(_ value: Double?) -> Self {
        scalar(PostgresType.float8, value) { $0.put(int64: Int64(bitPattern: $1.bitPattern)) }
    }
    public static func bytea(_ value: [UInt8]?) -> Self {
        scalar(PostgresType.bytea, value) { $0.put(bytes: $1) }
    }
    /// Microseconds are exact; `distantFuture` and `distantPast` are `infinity` and `-infinity`.
    public static func timestamptz(_ value: Timestamp?) -> Self {
        scalar(PostgresType.timestamptz, value) { $0.put(timestamp: $1) }
    }
    /// An interval of microseconds only, rounded towards zero.
    public static func interval(_ value: Duration?) -> Self {
        scalar(PostgresType.interval, value) { $0.put(interval: $1) }
    }
    /// `value` is JSON text; the server refuses what is not.
    public static func jsonb(_ value: String?) -> Self { scalar(PostgresType.jsonb, value) { $0.put(jsonb: $1) } }
}

extension PostgresParameter {
    public static func textArray(_ values: [String?]) -> Self {
        array(PostgresType.textArray, of: PostgresType.text, values) { $0.put(text: $1) }
    }
    public static func boolArray(_ values: [Bool?]) -> Self {
        array(PostgresType.boolArray, of: PostgresType.bool, values) { $0.put(bool: $1) }
    }
    public static func int4Array(_ values: [Int32?]) -> Self {
        array(PostgresType.int4Array, of: PostgresType.int4, values) { $0.put(int32: $1) }
    }
    public static func int8Array(_ values: [Int64?]) -> Self {
        array(PostgresType.int8Array, of: PostgresType.int8, values) { $0.put(int64: $1) }
    }
    public static func timestamptzArray(_ values: [Timestamp?]) -> Self {
        array(PostgresType.timestamptzArray, of: PostgresType.timestamptz, values) { $0.put(timestamp: $1) }
    }
    public static func intervalArray(_ values: [Duration?]) -> Self {
        array(PostgresType.intervalArray, of: PostgresType.interval, values) { $0.put(interval: $1) }
    }
    public static func jsonbArray(_ values: [String?]) -> Self {
        array(PostgresType.jsonbArray, of: PostgresType.jsonb, values) { $0.put(jsonb: $1) }
    }
}

extension PostgresParameter: CustomStringConvertible {
    /// The type and size; never the value.
    public var description: String { "parameter(oid \(type), \(bytes.map { "\($0.count) bytes" } ?? "NULL"))" }
}
