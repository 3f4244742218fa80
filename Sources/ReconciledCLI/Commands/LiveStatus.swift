import Postgres
import Timeline
import UnixSignals

/// Where reports go that follow each other. Each member is false when nobody sees it any more.
protocol LiveOutput: Sendable {
    func show(_ report: StatusReport) -> Bool
    /// There is no new report, but there may be one again.
    func fail(_ error: PostgresError) -> Bool
    /// Time went by, or the terminal has another size.
    func refresh() -> Bool
    func end()
}

/// Reads the state of all that waits again and again, until a signal ends it or nobody looks any more.
struct LiveStatus: Sendable {
    let session: DatabaseSession
    let interval: Duration
    let output: any LiveOutput

    /// Of the time, one part in so many is spent on looking at most, however large the tables are.
    private static let restFactor = 10

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sigwinch)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.obey(signals) }
            group.addTask { try await self.look() }
            group.addTask { try await self.refresh() }
            let first = await group.nextResult()
            // Before the others end: a server that hangs must not keep the terminal.
            output.end()
            group.cancelAll()
            try first?.get()
        }
    }

    private func obey(_ signals: UnixSignalsSequence) async {
        for await signal in signals {
            guard signal == .sigwinch, output.refresh() else { return }
        }
    }

    private func look() async throws {
        var next = ContinuousClock.now
        var isSeen = true
        while isSeen {
            var pause = interval
            do {
                let begun = ContinuousClock.now
                let report = try await StatusReport(session)
                pause = max(interval, (ContinuousClock.now - begun) * Self.restFactor)
                isSeen = output.show(report)
            } catch let error as PostgresError where DatabaseGate.mayHeal(error) {
                isSeen = output.fail(error)
                pause = max(pause, DatabaseGate.delayMin)
            }
            // What took longer than the interval is not caught up with.
            next = max(next + pause, .now)
            try await Task.sleep(until: next, tolerance: .zero)
        }
    }

    /// The clock on the screen goes on while a look takes long.
    private func refresh() async throws {
        while output.refresh() { try await Task.sleep(for: min(interval, .seconds(1))) }
    }
}
