import CLibpq
import Glibc

private final class ThreadBody {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

/// Runs `body` on a new thread that ends with it. The kernel shows the first 15 bytes of its name.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) throws(PostgresError) {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    let retained = unsafe Unmanaged.passRetained(ThreadBody(name: name, run: body))
    var thread = pthread_t()
    let status = unsafe pthread_create(
        &thread, &attributes,
        { argument in
            let body = unsafe Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue()
            unsafe reconciled_name_thread(body.name)
            body.run()
            return nil
        }, retained.toOpaque())
    guard status == 0 else {
        unsafe retained.release()
        throw PostgresError(.connection, message: "no thread for a connection (error \(status))")
    }
}
