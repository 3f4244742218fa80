import CLibpq

/// Walks the columns of one row from left to right.
///
/// Reading past the last column, NULL into a non-optional, or a type that does not fit is a `PostgresError` that names
/// the column.
@safe
public struct PostgresRowReader: ~Copyable {
    private let result: OpaquePointer
    private let columnCount: Int32
    private var row: Int32 = 0
    private var column: Int32 = 0

    init(result: OpaquePointer) {
        unsafe self.result = unsafe result
        columnCount = unsafe PQnfields(result)
    }

    mutating func move(toRow row: Int) {
        self.row = Int32(row)
        column = 0
    }

    public mutating func read<T: PostgresDecodable>(_ type: T.Type = T.self) throws(PostgresError) -> T {
        guard let value = try readOptional(type) else {
            column -= 1
            let name = unsafe ResultHandle.columnName(result, column)
            var error = PostgresError(.decode, message: "column \(column + 1) \"\(name)\" is NULL")
            error.column = name
            throw error
        }
        return value
    }

    public mutating func readOptional<T: PostgresDecodable>(_ type: T.Type = T.self) throws(PostgresError) -> T? {
        guard column < columnCount else { throw pastTheEnd }
        defer { column += 1 }
        guard unsafe PQgetisnull(result, row, column) == 0 else { return nil }
        let size = unsafe Int(PQgetlength(result, row, column))
        let bytes = unsafe UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: size)
        return try T(
            postgres: unsafe PostgresCell(
                bytes: bytes, type: PQftype(result, column), result: result, column: column))
    }

    /// Whether the next column is NULL; does not pass over it.
    public var isNull: Bool { unsafe column < columnCount && PQgetisnull(result, row, column) == 1 }

    /// Passes over one column.
    public mutating func skip() { column += 1 }

    private var pastTheEnd: PostgresError {
        PostgresError(.decode, message: "column \(column + 1) was read, but the result has \(columnCount)")
    }
}
