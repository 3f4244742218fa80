import Foundation

extension SettingsSection {
    static let secretBytesMax = 64 << 10

    /// A secret, given inline as `key` or as the path of a file in `keyFile`, whose trailing line break is cut.
    ///
    /// The environment's pair goes before the file's: a deployment replaces an inline secret by a mounted file and back.
    public mutating func secret(_ key: String) throws -> Secret? {
        let fileKey = key + "File"
        ask(key)
        ask(fileKey)
        let inline = try environment.value(forPath: pathOf(key))
        let path = try environment.value(forPath: pathOf(fileKey))
        if inline != nil || path != nil {
            let value = inline.map { SettingsNode(content: .scalar($0.value), origin: $0.variable, line: nil) }
            let file = path.map { SettingsNode(content: .scalar($0.value), origin: $0.variable, line: nil) }
            return try secret(key, inline: value, file: file, directory: "")
        }
        let directory = fileName.lastIndex(of: "/").map { String(fileName[...$0]) } ?? ""
        return try secret(key, inline: fileValue(key), file: fileValue(fileKey), directory: directory)
    }

    /// As `secret`, but absent and null are errors.
    public mutating func requiredSecret(_ key: String) throws -> Secret {
        guard let secret = try secret(key) else {
            throw error(key, problem: "the key is required", allowed: "\(key), or \(key)File with the path of a file")
        }
        return secret
    }

    private func secret(
        _ key: String, inline: SettingsNode?, file: SettingsNode?, directory: String
    ) throws(SettingsError) -> Secret? {
        let allowed = "\(key) with the secret itself, or \(key)File with the path of a file that holds it"
        if let inline {
            if file != nil { throw failure(inline, key, "\(key)File is given as well", "one of \(key), \(key)File") }
            let value = try text(inline, key, allowed: allowed)
            guard !value.isEmpty else { throw failure(inline, key, "the secret is empty", allowed) }
            return Secret(value)
        }
        guard let file else { return nil }
        let fileKey = key + "File"
        let named = try text(file, fileKey, allowed: "the path of a file")
        let path = named.hasPrefix("/") ? named : directory + named
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            data = try handle.read(upToCount: Self.secretBytesMax + 1) ?? Data()
        } catch {
            throw failure(file, fileKey, "the file \(quoted(path)) cannot be read", "a file that this process may read")
        }
        guard data.count <= Self.secretBytesMax, var value = String(data: data, encoding: .utf8) else {
            throw failure(file, fileKey, "the file \(quoted(path)) is no secret", "text of at most 64KiB")
        }
        if value.hasSuffix("\r\n") || value.hasSuffix("\n") { value.removeLast() }
        guard !value.isEmpty, !value.utf8.contains(0) else {
            throw failure(file, fileKey, "the file \(quoted(path)) is empty or holds a NUL byte", "a text")
        }
        return Secret(value)
    }
}
