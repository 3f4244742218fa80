import Glibc

/// A terminal's cells.
struct TerminalSize: Equatable, Sendable {
    var columns: Int
    var rows: Int

    /// Where nobody knows better.
    static let standard = TerminalSize(columns: 80, rows: 24)

    /// Of the terminal behind standard output.
    static var current: TerminalSize {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else {
            return standard
        }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }
}
