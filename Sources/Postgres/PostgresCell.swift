import CLibpq

/// One value of a result, as the server sent it in binary; valid only inside the closure that reads it.
@safe
public struct PostgresCell: ~Copyable {
    /// The object id of the value's type.
    public let type: UInt32
    let bytes: UnsafeRawBufferPointer
    private let result: OpaquePointer
    private let column: Int32

    init(bytes: UnsafeRawBufferPointer, type: UInt32, result: OpaquePointer, column: Int32) {
        unsafe self.bytes = unsafe bytes
        self.type = type
        unsafe self.result = unsafe result
        self.column = column
    }

    public var count: Int { unsafe bytes.count }

    /// The column's name in the result.
    public var columnName: String { unsafe ResultHandle.columnName(result, column) }

    /// An error that names the column; `problem` continues it and must not hold the value.
    public func error(_ problem: String) -> PostgresError {
        var error = PostgresError(.decode, message: "column \(column + 1) \"\(columnName)\" \(problem)")
        error.column = columnName
        return error
    }

    /// Refuses a value whose type is not expected.
    func mismatch(_ swiftType: String) -> PostgresError {
        error("has the type with oid \(type) and \(unsafe bytes.count) bytes, which does not read as \(swiftType)")
    }

    /// The big-endian integer that fills the whole value.
    func integer<T: FixedWidthInteger>(_: T.Type, or swiftType: String) throws(PostgresError) -> T {
        guard unsafe bytes.count == MemoryLayout<T>.size else { throw mismatch(swiftType) }
        return unsafe T(bigEndian: bytes.loadUnaligned(as: T.self))
    }
}
