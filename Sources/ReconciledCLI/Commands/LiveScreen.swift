import Glibc
import Postgres
import Synchronization
import Timeline

/// What a live screen shows at one instant.
struct LivePicture: Sendable {
    var now: Timestamp
    var interval: Duration
    /// What is to be seen in lines of so many cells.
    var blocks: @Sendable (_ columns: Int) -> [TextBlock] = { _ in [] }
    /// When the blocks were read; nil before the first time.
    var readAt: Timestamp?
    /// Why there is nothing newer.
    var problem: String?

    /// How long a look may take before its slowness is worth a line.
    static let patience = Duration.seconds(3)

    func lines(_ size: TerminalSize) -> [TextLine] {
        var top = [TextLine("reconciled status  \(now.wholeSeconds)  every \(interval.text), Ctrl-C ends", .bold)]
        let age = readAt.map { now - $0 }
        let seen = readAt.map { "; seen last: \($0.wholeSeconds)" } ?? ""
        if let problem {
            top.append(TextLine("reconnecting: \(TerminalText.printable(problem))\(seen)", .red))
        } else if let age, age > interval + Self.patience {
            top.append(TextLine("waiting for the database for \(StatusReport.rounded(age - interval))\(seen)", .red))
        } else if readAt == nil {
            top.append(TextLine("looking", .dim))
        }
        return ScreenLayout.fit(top, blocks(size.columns), size)
    }
}

/// A terminal that shows the newest report, drawn over the one before.
final class LiveScreen: LiveOutput {
    // The other screen, so that what was there before is there afterwards; no cursor; no line that wraps.
    static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l"
    static let leave = "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    private struct State {
        var picture: LivePicture
        var isOver = false
    }

    private let state: Mutex<State>
    private let usesColour: Bool

    init(interval: Duration, usesColour: Bool) {
        state = Mutex(State(picture: LivePicture(now: .wallClock, interval: interval)))
        self.usesColour = usesColour
        Descriptor.write(Self.enter, to: STDOUT_FILENO)
    }

    func show(_ report: StatusReport) -> Bool {
        draw { picture in
            picture.blocks = { report.blocks(fitting: $0) }
            picture.readAt = .wallClock
            picture.problem = nil
        }
    }

    func fail(_ error: PostgresError) -> Bool {
        draw { $0.problem = CommandFailure(error)?.message ?? error.description }
    }

    func refresh() -> Bool { draw { _ in } }

    func end() {
        state.withLock { state in
            guard !state.isOver else { return }
            state.isOver = true
            Descriptor.write(Self.leave, to: STDOUT_FILENO)
        }
    }

    private func draw(_ change: (inout LivePicture) -> Void) -> Bool {
        state.withLock { state in
            guard !state.isOver else { return false }
            change(&state.picture)
            state.picture.now = .wallClock
            var size = TerminalSize.current
            // Clearing the rest of a full line would clear its last cell.
            size.columns -= 1
            let lines = state.picture.lines(size).map { $0.rendered(usesColour: usesColour) + "\u{1B}[K" }
            // Each line is cleared behind its text, not before: nothing flickers.
            return Descriptor.write("\u{1B}[H" + lines.joined(separator: "\n") + "\u{1B}[J", to: STDOUT_FILENO)
        }
    }
}
