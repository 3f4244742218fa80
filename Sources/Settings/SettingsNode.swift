/// A value of the document with the place it came from; the document's own tree, for YAML's is not `Sendable`.
struct SettingsNode: Sendable {
    enum Content: Sendable {
        case null
        case scalar(String)
        case list([SettingsNode])
        case map([Entry])

        /// How a message calls it.
        var noun: String {
            switch self {
            case .null: "empty"
            case .scalar: "a single value"
            case .list: "a list"
            case .map: "a map"
            }
        }
    }

    struct Entry: Sendable {
        var key: String
        var line: Int?
        var value: SettingsNode
    }

    var content: Content
    /// The file's name, or the environment variable's.
    var origin: String
    /// Nil for the environment.
    var line: Int?

    /// Only values of the environment have no line.
    var isFromEnvironment: Bool { line == nil }

    static func empty(origin: String) -> SettingsNode { SettingsNode(content: .map([]), origin: origin, line: nil) }
}
