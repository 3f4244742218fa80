/// A configuration: a YAML (or JSON) text under an environment that overrides its keys.
public struct SettingsDocument: Sendable {
    /// The top-level map. Read it, then call its `finish()` last: it also refuses unused environment variables.
    public var root: SettingsSection

    /// Parses `yaml`, empty where there is no file. Throws `SettingsError`.
    ///
    /// - Parameters:
    ///   - fileName: as messages show it; paths in `…File` keys are relative to its directory.
    ///   - environment: variables without the prefix `RECONCILED_` are ignored.
    public init(yaml: String, fileName: String, environment: [String: String]) throws {
        let node = try YAMLText.parse(yaml, origin: fileName, key: "", lines: true)
        switch node.content {
        case .map: break
        case .null: break
        default:
            throw SettingsError(
                origin: fileName, key: "", line: node.line, problem: "the document is \(node.content.noun)",
                allowed: "a map of settings")
        }
        let map = if case .map = node.content { node } else { SettingsNode.empty(origin: fileName) }
        root = SettingsSection(
            path: "", node: map, fileName: fileName, environment: SettingsEnvironment(environment))
    }
}
