/// A map of settings that remembers which keys were asked for, so that `finish()` can refuse the others.
///
/// Every key can be overridden by the environment: `RECONCILED_` and the path in upper snake case. An absent key and a
/// `null` are nil. Every method throws `SettingsError`.
public struct SettingsSection: Sendable {
    /// `gateways.acme`; empty for the root.
    public let path: String
    let node: SettingsNode
    let fileName: String
    let environment: SettingsEnvironment
    private(set) var asked: [String] = []

    init(path: String, node: SettingsNode, fileName: String, environment: SettingsEnvironment) {
        self.path = path
        self.node = node
        self.fileName = fileName
        self.environment = environment
    }

    /// An error about `key`, with its line; about the section itself for nil.
    public func error(_ key: String?, problem: String, allowed: String) -> SettingsError {
        guard let key else {
            return SettingsError(origin: node.origin, key: path, line: node.line, problem: problem, allowed: allowed)
        }
        let keyPath = pathOf(key)
        if case .some(.some(let (variable, _))) = try? environment.value(forPath: keyPath) {
            return SettingsError(origin: variable, key: keyPath, line: nil, problem: problem, allowed: allowed)
        }
        let entry = entries.first { $0.key == key }
        return SettingsError(
            origin: entry?.value.origin ?? node.origin, key: keyPath, line: entry?.line ?? node.line, problem: problem,
            allowed: allowed)
    }

    /// Refuses a key that was never asked for, naming it, its line and the keys that are known. Call it last; on the root
    /// after all other sections, for it refuses environment variables that name no key.
    public func finish() throws {
        if let unknown = entries.first(where: { !asked.contains($0.key) }) {
            throw self.error(
                unknown.key, problem: "unknown key" + Self.hint(for: unknown.key, among: asked),
                allowed: asked.joined(separator: ", "))
        }
        if path.isEmpty, let variable = environment.firstUnused() {
            throw SettingsError(
                origin: variable, key: "", line: nil,
                problem: "the environment variable names no setting"
                    + Self.hint(for: variable, among: environment.usedVariables()),
                allowed: "RECONCILED_ and a key's path in upper case, such as RECONCILED_DATABASE_URL")
        }
    }

    private static func hint(for word: String, among words: [String]) -> String {
        let nearest = words.map { (word: $0, distance: editDistance(word.lowercased(), $0.lowercased())) }
            .min { ($0.distance, $0.word) < ($1.distance, $1.word) }
        guard let nearest, nearest.distance <= max(1, min(3, word.count / 3)) else { return "" }
        return ", did you mean \(quoted(nearest.word))?"
    }
}

extension SettingsSection {
    var entries: [SettingsNode.Entry] {
        if case .map(let entries) = node.content { entries } else { [] }
    }

    func pathOf(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    mutating func ask(_ key: String) {
        if !asked.contains(key) { asked.append(key) }
    }

    /// The key's value: the environment's text, else the file's; nil if absent or null.
    mutating func value(_ key: String) throws(SettingsError) -> SettingsNode? {
        ask(key)
        if let (variable, value) = try environment.value(forPath: pathOf(key)) {
            return SettingsNode(content: .scalar(value), origin: variable, line: nil)
        }
        return fileValue(key)
    }

    func fileValue(_ key: String) -> SettingsNode? {
        guard let value = entries.first(where: { $0.key == key })?.value else { return nil }
        if case .null = value.content { return nil }
        return value
    }

    /// The key's value where a list or a map may stand: text of an environment variable is read as YAML.
    mutating func structuredValue(_ key: String) throws(SettingsError) -> SettingsNode? {
        guard let value = try value(key) else { return nil }
        guard case .scalar(let text) = value.content, value.isFromEnvironment, text.first == "[" || text.first == "{"
        else { return value }
        return try YAMLText.parse(text, origin: value.origin, key: pathOf(key), lines: false)
    }

    func failure(_ value: SettingsNode, _ key: String, _ problem: String, _ allowed: String) -> SettingsError {
        SettingsError(origin: value.origin, key: pathOf(key), line: value.line, problem: problem, allowed: allowed)
    }

    /// The value's text; lists and maps are refused.
    func text(_ value: SettingsNode, _ key: String, allowed: String) throws(SettingsError) -> String {
        guard case .scalar(let text) = value.content else {
            throw failure(value, key, "the value is \(value.content.noun)", allowed)
        }
        guard !text.utf8.contains(0) else { throw failure(value, key, "the value holds a NUL byte", allowed) }
        return text
    }
}
