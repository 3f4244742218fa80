/// Why the HTTP interface cannot be served.
public struct ConsoleServerError: Error, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        case addressInUse
        case refused
    }

    public var code: Code
    public var host: String
    public var port: Int
    /// The system's word.
    public var reason: String

    public var description: String { "HTTP cannot be served on \(host) port \(port): \(reason)" }
}
