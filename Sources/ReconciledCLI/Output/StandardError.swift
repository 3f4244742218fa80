import Glibc

/// Standard error, a whole text at a time: lines of several threads must not run into each other.
enum StandardError {
    static func write(_ text: String) { Descriptor.write(text, to: STDERR_FILENO) }
}

enum Descriptor {
    /// Writes all of the text; a closed pipe swallows it. False when nobody reads it.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = ContiguousArray(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                guard errno == EINTR else { return false }
                continue
            }
            rest = rest.dropFirst(count)
        }
        return true
    }

    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}
