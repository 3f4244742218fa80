import CLibpq
import Glibc

/// A cancel request on its way to the server.
///
/// `PQcancel` opens a connection of its own and blocks until the server closes it, without end if the server's host is
/// gone or frozen: hence on a thread that nobody waits for longer than they want.
@safe
final class CancelRequest: @unchecked Sendable {
    /// Readable once the server took the request, or the request failed.
    let done: Wakeup

    // Unchecked: only the request's own thread uses it; libpq allows that beside the connection's.
    private let request: OpaquePointer

    /// Nil if the request cannot be made.
    init?(_ connection: OpaquePointer) {
        guard let done = try? Wakeup(), let request = unsafe PQgetCancel(connection) else { return nil }
        self.done = done
        unsafe self.request = unsafe request
        do throws(PostgresError) {
            try startThread(named: "postgres cancel") { [self] in
                var problem = [CChar](repeating: 0, count: 256)
                // Whether it did anything shows on the connection, by SQLSTATE 57014.
                _ = unsafe PQcancel(self.request, &problem, CInt(problem.count))
                self.done.signal()
            }
        } catch { return nil }
    }

    deinit { unsafe PQfreeCancel(request) }
}
