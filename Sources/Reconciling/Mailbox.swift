import Synchronization
import Timeline

/// What happened since the poller last looked.
///
/// Checks end on any thread; a poller that hopped to its own for each of them would spend more time hopping than
/// working. So they leave their conclusions here, and the poller is woken once for as many as have come. Bounded by
/// what the poller has under way: one conclusion a check, one result an exchange; the rest is merged.
final class Mailbox<R: Row, Change: Sendable>: Sendable {
    struct Concluded: Sendable {
        var token: Int64
        var lane: Int
        var scope: Int
        var conclusion: Conclusion<Change>
        var startedAt: Moment
        var endedAt: Moment
    }

    struct Exchanged: Sendable {
        var round: Int
        var result: ExchangeResult<R>
        var endedAt: Moment
    }

    struct Renewed: Sendable {
        var tokens: [Int64]
        var sentAt: Moment
        var result: Result<Set<Int64>, StoreError>
    }

    struct Letters: Sendable {
        var concluded: [Concluded] = []
        var exchanged: [Exchanged] = []
        var renewed: [Renewed] = []
        /// Lanes whose rows were made due at present; nil stands for all.
        var wokenLanes: Set<String?> = []
        /// Lanes whose rows became due, and since when; nil stands for all.
        var dueFrom: [String?: Timestamp] = [:]
        /// Lanes whose pause or resumption the store was not told.
        var failedLanes: [Int] = []
        /// Paused lanes that the store may be asked to probe now.
        var probedLanes: [Int] = []
        /// Other calls to the store that came back.
        var endedCallCount = 0
        var registered: Result<Void, StoreError>?
        var isStopped = false
        var isCancelled = false

        mutating func note(_ wakeup: Wakeup) {
            if let dueFrom = wakeup.dueFrom {
                self.dueFrom[wakeup.lane] = min(dueFrom, self.dueFrom[wakeup.lane] ?? dueFrom)
            } else {
                wokenLanes.insert(wakeup.lane)
            }
        }
    }

    private struct State: Sendable {
        var letters = Letters()
        var isEmpty = true
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func post(_ write: (inout Letters) -> Void) {
        let reader = state.withLock { state in
            write(&state.letters)
            state.isEmpty = false
            let reader = state.reader
            state.reader = nil
            return reader
        }
        reader?.resume()
    }

    /// Wakes the reader with nothing to read: a time has come.
    func ring() {
        post { _ in }
    }

    /// Returns when there is something to read. One reader.
    func wait(isolation: isolated (any Actor)? = #isolation) async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.isEmpty { state.reader = continuation }
                return state.isEmpty
            }
            if !isEmpty { continuation.resume() }
        }
    }

    func take() -> Letters {
        state.withLock { state in
            let letters = state.letters
            state.letters = Letters()
            state.isEmpty = true
            return letters
        }
    }
}
