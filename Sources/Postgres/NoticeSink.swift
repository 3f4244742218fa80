import CLibpq
import Logging

/// Takes what a server says unasked.
final class NoticeSink {
    private let logger: Logger
    /// The server ended the session; the end of its stream may come a little later than its word.
    private(set) var sawFatal = false

    init(logger: Logger) {
        self.logger = logger
    }

    func receive(_ result: OpaquePointer) {
        func field(_ field: ResultHandle.Field) -> String {
            unsafe PQresultErrorField(result, Int32(field.rawValue)).map { unsafe String(cString: $0) } ?? ""
        }
        let severity = field(.severity)
        if severity == "FATAL" || severity == "PANIC" { sawFatal = true }
        logger.debug(
            "PostgreSQL notice",
            metadata: [
                "severity": "\(severity)", "sqlState": "\(field(.sqlState))", "text": "\(field(.message))",
            ])
    }
}
