import CLibpq

/// The rows of a result; lives only inside the closure that decodes it.
@safe
public struct PostgresRows: ~Copyable {
    private let result: ResultHandle

    init(_ result: ResultHandle) {
        self.result = result
    }

    /// How many rows came back.
    public var count: Int { unsafe Int(PQntuples(result.pointer)) }

    /// How many rows an INSERT, UPDATE, DELETE, MERGE or SELECT touched; 0 for anything else.
    public var affectedCount: Int {
        unsafe PQcmdTuples(result.pointer).flatMap { unsafe Int(String(cString: $0)) } ?? 0
    }

    /// What `transform` makes of each row, in order.
    public func map<T>(_ transform: (inout PostgresRowReader) throws -> T) throws -> [T] {
        let count = count
        var values: [T] = []
        values.reserveCapacity(count)
        var reader = unsafe PostgresRowReader(result: result.pointer)
        for row in 0..<count {
            reader.move(toRow: row)
            values.append(try transform(&reader))
        }
        return values
    }

    /// What `transform` makes of the first row; nil if there is none.
    public func first<T>(_ transform: (inout PostgresRowReader) throws -> T) throws -> T? {
        guard count > 0 else { return nil }
        var reader = unsafe PostgresRowReader(result: result.pointer)
        return try transform(&reader)
    }
}
