@unsafe @preconcurrency import Glibc

/// Standard output: what a command was asked for, and nothing else.
enum StandardOutput {
    /// A line is written when it is complete, also into a pipe.
    static func bufferLines() { unsafe setvbuf(stdout, nil, _IOLBF, 0) }

    static var isTerminal: Bool { Descriptor.isTerminal(STDOUT_FILENO) }

    /// Colour on a terminal only, and not where NO_COLOR asks for none (no-color.org).
    static var usesColour: Bool { isTerminal && allowsColour }

    static var allowsColour: Bool {
        func value(_ name: String) -> String {
            guard let text = unsafe getenv(name) else { return "" }
            return unsafe String(cString: text)
        }
        return value("NO_COLOR").isEmpty && value("TERM") != "dumb"
    }

    static func write(_ text: String) { print(text, terminator: "") }

    static func write(_ table: TextTable) { write(table.rendered(usesColour: usesColour)) }
}
