import Logging
import ServiceLifecycle

/// Runs the pollers of all watches: they stop at the same time, so that one grace serves them all.
///
/// One that cannot go on ends them all, for it must not look as if all were well: the others finish what runs, and then its
/// error is thrown.
struct Pollers: Service {
    let pollers: [any Service]
    let logger: Logger

    func run() async throws {
        guard !pollers.isEmpty else {
            try await gracefulShutdown()
            return
        }
        let parts = pollers.map { ServiceGroup(services: [$0], logger: logger) }
        let failure = await withTaskGroup(of: (any Error)?.self) { group in
            for part in parts {
                group.addTask {
                    do { try await part.run() } catch { return error }
                    return nil
                }
            }
            var failure: (any Error)?
            for await ended in group {
                guard let ended, failure == nil else { continue }
                failure = ended
                for part in parts { await part.triggerGracefulShutdown() }
            }
            return failure
        }
        if let failure { throw failure }
    }
}
