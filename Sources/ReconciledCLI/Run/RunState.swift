/// Which configuration of a process runs, which ones finish what they have under check, and what is done next: deciding alone.
///
/// Configurations are numbered from 1. One runs; those before it leave.
struct RunState: Sendable {
    enum Event: Hashable, Sendable {
        /// A configuration was read that is to take over.
        case reload
        /// Finish what runs.
        case stop
        /// Do not.
        case leave
        /// The front of the configuration that runs; no other has one.
        case frontEnded(failed: Bool)
        case pollersEnded(Int, failed: Bool)
        /// The pollers of one that leaves should have ended by now.
        case late(Int)
    }

    enum Action: Hashable, Sendable {
        /// The pollers of the configuration that runs finish what they have under check, and claim no more.
        case finishPollers
        /// Its front gives the port free.
        case finishFront
        /// The configuration that was read last runs from now on.
        case begin
        /// That one has ended, and its connections that no other uses.
        case close(Int)
        /// All has ended, or is to be cancelled.
        case end
    }

    /// The configuration that runs.
    private(set) var current = 1
    private(set) var isStopping = false
    private var hasNext = false
    private var isFrontEnding = false
    private var isFrontOver = false
    private var arePollersOver = false
    private var leaving: [Leaving] = []

    private struct Leaving {
        let number: Int
        /// Its checks do not end; their rows were handed back.
        var isLate = false
    }

    /// Whether a configuration was read that has to wait for checks of one that leaves.
    var isWaiting: Bool { hasNext && !areOthersOver }

    /// Those of which nothing is awaited any more count as over.
    private var areOthersOver: Bool { leaving.allSatisfy(\.isLate) }

    /// What is done now, in that order.
    mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .reload:
            hasNext = !isStopping
            return goOn()
        case .stop: return stop() + goOn()
        case .leave: return [.end]
        case .frontEnded(let failed):
            isFrontOver = true
            if failed { return stop() + goOn() }
            return hasNext ? takeOver() : goOn()
        case .late(let number):
            if let index = leaving.firstIndex(where: { $0.number == number }) { leaving[index].isLate = true }
            return goOn()
        case .pollersEnded(current, let failed):
            arePollersOver = true
            return (failed ? stop() : []) + goOn()
        case .pollersEnded(let number, _):
            // If they failed, their rows were handed back or are left to their leases: those who poll now take them.
            leaving.removeAll { $0.number == number }
            return [.close(number)] + goOn()
        }
    }

    private mutating func stop() -> [Action] {
        guard !isStopping else { return [] }
        isStopping = true
        hasNext = false
        return arePollersOver ? [] : [.finishPollers]
    }

    private mutating func takeOver() -> [Action] {
        let before = current
        let wasOver = arePollersOver
        current += 1
        (hasNext, isFrontEnding, isFrontOver, arePollersOver) = (false, false, false, false)
        if wasOver { return [.begin, .close(before)] }
        leaving.append(Leaving(number: before))
        return [.finishPollers, .begin]
    }

    /// The front goes when a configuration may take over, and at the end last of all: a probe is answered, and metrics are
    /// served, until the rows are written.
    private mutating func goOn() -> [Action] {
        guard areOthersOver else { return [] }
        let isEnd = arePollersOver && !hasNext
        if isEnd, isFrontOver { return [.end] }
        guard isEnd || hasNext, !isFrontOver, !isFrontEnding else { return [] }
        isFrontEnding = true
        return [.finishFront]
    }
}
