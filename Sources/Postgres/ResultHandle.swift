import CLibpq

/// Owns one `PGresult`, which must stay on its connection's thread.
@safe
final class ResultHandle {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit { unsafe PQclear(pointer) }

    static func columnName(_ result: OpaquePointer, _ column: Int32) -> String {
        guard let name = unsafe PQfname(result, column) else { return "?" }
        return unsafe String(cString: name)
    }

    /// The error that this result reports, if it reports one.
    func error(statement: Statement?) -> PostgresError? {
        switch unsafe PQresultStatus(pointer) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE, PGRES_PIPELINE_SYNC: return nil
        case PGRES_PIPELINE_ABORTED:
            var error = PostgresError(.query, message: "not run: an earlier statement of the pipeline failed")
            error.statementName = statement?.name
            return error
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            var error = PostgresError(.query, sqlState: "0A000", message: "COPY is not supported here")
            error.statementName = statement?.name
            return error
        default:
            let sqlState = field(.sqlState)
            // libpq reports a lost connection as a result without SQLSTATE.
            var error = PostgresError(sqlState == nil ? .connection : .query, sqlState: sqlState, message: message)
            error.detail = field(.detail)
            error.hint = field(.hint)
            error.constraint = field(.constraint)
            error.table = field(.table)
            error.column = field(.column)
            error.serverFunction = field(.function)
            error.statementName = statement?.name
            return error
        }
    }

    /// The session waits for COPY data, which this layer does not speak.
    var isCopy: Bool {
        switch unsafe PQresultStatus(pointer) {
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: true
        default: false
        }
    }

    private var message: String {
        if let primary = field(.message) { return primary }
        guard let text = unsafe PQresultErrorMessage(pointer) else { return "the connection failed" }
        let trimmed = Link.oneLine(unsafe String(cString: text))
        return trimmed.isEmpty ? "the connection failed" : trimmed
    }

    /// libpq's PG_DIAG_ codes, which are character macros that Swift does not import.
    enum Field: UInt8 {
        case severity = 0x56  // V
        case sqlState = 0x43  // C
        case message = 0x4D  // M
        case detail = 0x44  // D
        case hint = 0x48  // H
        case table = 0x74  // t
        case column = 0x63  // c
        case constraint = 0x6E  // n
        case function = 0x52  // R
    }

    func field(_ field: Field) -> String? {
        unsafe PQresultErrorField(pointer, Int32(field.rawValue)).map { unsafe String(cString: $0) }
    }
}
