import Timeline

/// Writes values in PostgreSQL's binary (`typsend`) formats, all big-endian.
struct BinaryEncoder {
    private(set) var bytes: [UInt8] = []
    /// The first value that PostgreSQL could not hold.
    private(set) var fault: PostgresParameter.Fault?

    init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    mutating func put(bool value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func put(int32 value: Int32) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    mutating func put(int64 value: Int64) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    mutating func put(bytes value: [UInt8]) { bytes.append(contentsOf: value) }

    mutating func put(text value: String) {
        let start = bytes.count
        bytes.append(contentsOf: value.utf8)
        if bytes[start...].contains(0) { fault = fault ?? .containsNUL }
    }

    /// jsonb's binary format is a version byte, 1, and the JSON text.
    mutating func put(jsonb value: String) {
        bytes.append(1)
        put(text: value)
    }

    mutating func put(timestamp value: Timestamp) {
        switch value {
        case .distantFuture: put(int64: .max)
        case .distantPast: put(int64: .min)
        default:
            let (shifted, overflow) = value.microseconds.subtractingReportingOverflow(PostgresType.epochMicroseconds)
            if overflow { fault = fault ?? .outOfRange }
            put(int64: shifted)
        }
    }

    mutating func put(interval value: Duration) {
        let microseconds = value.wholeMicroseconds
        // The conversion saturates: the bounds stand for what does not fit.
        if microseconds == .max || microseconds == .min { fault = fault ?? .outOfRange }
        put(int64: microseconds)
        put(int32: 0)
        put(int32: 0)
    }

    /// Leaves room for a length in front of what follows; `endSized` fills it in.
    mutating func beginSized() -> Int {
        put(int32: 0)
        return bytes.count
    }

    mutating func endSized(_ start: Int) {
        let count = UInt32(clamping: bytes.count - start)
        for offset in 0..<4 {
            bytes[start - 4 + offset] = UInt8(truncatingIfNeeded: count >> (24 - 8 * UInt32(offset)))
        }
    }
}
