/// A type whose Swift arrays read one value of a result.
public protocol PostgresArrayElement {
    static func array(postgres cell: borrowing PostgresCell) throws(PostgresError) -> [Self]
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    public init(postgres cell: borrowing PostgresCell) throws(PostgresError) {
        self = try Element.array(postgres: cell)
    }
}

extension UInt8: PostgresArrayElement {
    /// bytea.
    public static func array(postgres cell: borrowing PostgresCell) throws(PostgresError) -> [UInt8] {
        guard cell.type == PostgresType.bytea else { throw cell.mismatch("[UInt8]") }
        return unsafe Array(cell.bytes)
    }
}

extension String: PostgresArrayElement {
    /// text[], varchar[] or name[] of at most one dimension; a NULL element is an error.
    public static func array(postgres cell: borrowing PostgresCell) throws(PostgresError) -> [String] {
        switch cell.type {
        case PostgresType.textArray, PostgresType.varcharArray, PostgresType.nameArray:
            try unsafe cell.elements { bytes throws(PostgresError) in unsafe String(validating: bytes, as: UTF8.self) }
        default: throw cell.mismatch("[String]")
        }
    }
}

extension Int64: PostgresArrayElement {
    /// int8[] of at most one dimension; a NULL element is an error.
    public static func array(postgres cell: borrowing PostgresCell) throws(PostgresError) -> [Int64] {
        guard cell.type == PostgresType.int8Array else { throw cell.mismatch("[Int64]") }
        return try unsafe cell.elements { bytes throws(PostgresError) in
            unsafe bytes.count == 8 ? Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)) : nil
        }
    }
}

extension PostgresCell {
    /// Walks `array_send`'s format; the lengths are checked, for they come from outside.
    fileprivate func elements<T>(
        _ decode: (UnsafeRawBufferPointer) throws(PostgresError) -> T?
    ) throws(PostgresError) -> [T] {
        var rest = unsafe bytes[...]
        func int32() throws(PostgresError) -> Int32 {
            guard unsafe rest.count >= 4 else { throw error("is a cut array") }
            let value = unsafe Int32(bigEndian: UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: Int32.self))
            unsafe rest = unsafe rest.dropFirst(4)
            return value
        }
        let dimensions = try int32()
        _ = try int32()
        _ = try int32()
        guard dimensions != 0 else { return [] }
        guard dimensions == 1 else { throw error("is an array of \(dimensions) dimensions") }
        let count = try int32()
        _ = try int32()
        var elements: [T] = []
        for _ in 0..<max(0, count) {
            let size = try int32()
            guard size >= 0 else { throw error("holds NULL in its array") }
            guard unsafe rest.count >= Int(size) else { throw error("is a cut array") }
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(Int(size)))
            guard let element = try unsafe decode(bytes) else { throw error("has an element that does not decode") }
            elements.append(element)
            unsafe rest = unsafe rest.dropFirst(Int(size))
        }
        return elements
    }
}
