import ServiceLifecycle
import Synchronization

/// What signals asked of a running process.
final class RunControl: Sendable {
    private struct State {
        var isStopping = false
        var next: Configuration?
        var group: ServiceGroup?
    }

    private let state = Mutex(State())

    /// The services that a signal stops from now on; false if one has come already, and they must not start.
    func begin(_ group: ServiceGroup) -> Bool {
        state.withLock { state in
            guard !state.isStopping else { return false }
            state.group = group
            return true
        }
    }

    /// The first time the services to shut down; false if a stop was asked for before.
    func stop() -> (isFirst: Bool, group: ServiceGroup?) {
        state.withLock { state in
            defer { state.isStopping = true }
            return (!state.isStopping, state.group)
        }
    }

    func reload(_ configuration: Configuration) -> ServiceGroup? {
        state.withLock { state in
            state.next = configuration
            return state.group
        }
    }

    /// What to run with next; nil when it is over.
    func takeNext() -> Configuration? {
        state.withLock { state in
            defer { state.next = nil }
            state.group = nil
            return state.isStopping ? nil : state.next
        }
    }
}
