import Timeline

/// A type that reads one non-NULL value of a result.
///
/// The types that a conformance accepts are a closed list: a value of another type is an error, never a guess. A type
/// of your own delegates: `init(postgres cell:) { let text = try String(postgres: cell); … }`.
public protocol PostgresDecodable {
    init(postgres cell: borrowing PostgresCell) throws(PostgresError)
}

extension Bool: PostgresDecodable {
    public init(postgres cell: borrowing PostgresCell) throws(PostgresError) {
        guard cell.type == PostgresType.bool else { throw cell.mismatch("Bool") }
        self = try cell.integer(UInt8.self, or: "Bool") != 0
    }
}

extension Int16: PostgresDecodable {
    public init(postgres cell: borrowing PostgresCell) throws(PostgresError) {
        guard cell.type == PostgresType.int2 else { throw cell.mismatch("Int16") }
        self = try cell.integer(Int16.self, or: "Int16")
    }
}

extension Int32: PostgresDecodable {
    public init(postgres cell: borrowing PostgresCell) throws(PostgresError) {
        switch cell.type {
        case PostgresType.int4: self = try cell.integer(Int32.self, or: "Int32")
        case PostgresType.int2: self = Int32(try cell.integer(Int16.self, or: "Int32"))
        default: throw cell.mismatch("Int32")
        }
    }
}

extension Int64: PostgresDecodable {
    public init(postgres cell: borrowing PostgresCell) throws(PostgresError) {
        switch cell.type {
        case PostgresType.int8: self = try cell.integer(Int64.self, or: "Int64")
        case PostgresType.int4: self = Int64(try cell.integer(Int32.self, or: "Int64"))
        case PostgresType.int2: self = Int64(try cell.integer(Int16.self, or: "Int64"))
        default: throw cell.mismatch("Int64")
        }
    }
}

extension Int: PostgresDecodable {
    public init(postgres cell: borrowing PostgresCell) throws(PostgresError) {
        self = Int(try Int64(postgres: cell))
    }
}

extension Double: PostgresDecodable {
    public init(postgres cell: borrowing PostgresCell) throws(PostgresError) {
        switch cell.type {
        case PostgresType.float8: self.init(bitPattern: try cell.integer(UInt64.self, or: "Double"))
        case PostgresType.float4: self.init(Float(bitPattern: try cell.integer(UInt32.self, or: "Double")))
        default: throw cell.mismatch("Double")
        }
    }
}

extension String: PostgresDecodable {
    /// text, varchar, char, name, json and jsonb; enums and numerics are for the SQL to cast to text.
    public init(postgres cell: borrowing PostgresCell) throws(PostgresError) {
        switch cell.type {
        case PostgresType.text, PostgresType.varchar, PostgresType.name, PostgresType.bpchar, PostgresType.json,
            PostgresType.char, PostgresType.unknown:
            self = try cell.text(skipping: 0)
        case PostgresType.jsonb:
            guard unsafe cell.bytes.first == 1 else { throw cell.error("is jsonb of an unknown version") }
            self = try cell.text(skipping: 1)
        default: throw cell.mismatch("String")
        }
    }
}

extension Timestamp: PostgresDecodable {
    public init(postgres cell: borrowing PostgresCell) throws(PostgresError) {
        guard cell.type == PostgresType.timestamptz else { throw cell.mismatch("Timestamp") }
        switch try cell.integer(Int64.self, or: "Timestamp") {
        case .max: self = .distantFuture
        case .min: self = .distantPast
        case let value:
            // PostgreSQL counts from 2000, so that its last 30 years, 292 thousand years ahead, do not fit; a column that
            // an application may write must not be unreadable for it.
            let (microseconds, overflow) = value.addingReportingOverflow(PostgresType.epochMicroseconds)
            self.init(microseconds: overflow ? Self.distantFuture.microseconds : microseconds)
        }
    }
}

extension Duration: PostgresDecodable {
    /// An interval of days (of 24 hours) and microseconds; months have no fixed length and are refused.
    public init(postgres cell: borrowing PostgresCell) throws(PostgresError) {
        guard cell.type == PostgresType.interval, cell.count == 16 else { throw cell.mismatch("Duration") }
        let microseconds = unsafe Int64(bigEndian: cell.bytes.loadUnaligned(as: Int64.self))
        let days = unsafe Int32(bigEndian: cell.bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self))
        let months = unsafe Int32(bigEndian: cell.bytes.loadUnaligned(fromByteOffset: 12, as: Int32.self))
        guard months == 0 else { throw cell.error("is an interval with months, which has no fixed length") }
        self = .microseconds(microseconds) + .seconds(Int64(days) * 86_400)
    }
}

extension PostgresCell {
    fileprivate func text(skipping prefix: Int) throws(PostgresError) -> String {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes.dropFirst(prefix))
        guard let text = unsafe String(validating: rest, as: UTF8.self) else {
            throw error("is not UTF-8")
        }
        return text
    }
}
