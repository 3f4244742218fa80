import CLibpq
import Glibc

/// An eventfd that ends a `poll` from another thread.
final class Wakeup: Sendable {
    let descriptor: CInt

    init() throws(PostgresError) {
        descriptor = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else {
            throw PostgresError(.connection, message: "no file descriptor for a connection (errno \(errno))")
        }
    }

    deinit { close(descriptor) }

    func signal() { _ = eventfd_write(descriptor, 1) }
}
