extension SettingsSection {
    /// A list of texts; one text counts as a list of one. In the environment also separated by commas.
    public mutating func strings(_ key: String) throws -> [String]? {
        let allowed = "a list of texts"
        return try items(key, allowed: allowed)?.map { try text($0, key, allowed: allowed) }
    }

    /// A map of texts. A variable of the environment sets one key: one that the file does not have is in small letters
    /// with dashes, as HTTP headers are written.
    public mutating func stringMap(_ key: String) throws -> [String: String]? {
        guard let entries = try mapEntries(key, newKey: { EnvironmentName.kebab($0) }) else { return nil }
        var map: [String: String] = [:]
        for entry in entries {
            if case .null = entry.value.content { continue }
            map[entry.key] = try text(entry.value, "\(key).\(entry.key)", allowed: "a text")
        }
        return map
    }

    /// A map of lists of texts; one text counts as a list of one. A variable of the environment sets one key: one that the
    /// file does not have is in capitals with underscores, as answers' states are written.
    public mutating func stringLists(_ key: String) throws -> [String: [String]]? {
        guard let entries = try mapEntries(key, newKey: { $0 }) else { return nil }
        var map: [String: [String]] = [:]
        for entry in entries {
            if case .null = entry.value.content { continue }
            let itemKey = "\(key).\(entry.key)"
            let items = try items(entry.value, itemKey, allowed: "a list of texts")
            map[entry.key] = try items.map { try text($0, itemKey, allowed: "a list of texts") }
        }
        return map
    }

    /// A section below this one; nil if neither the file nor the environment has it.
    public mutating func section(_ key: String) throws -> SettingsSection? {
        let value = try structuredValue(key)
        if let value { return try section(value, key) }
        guard !environment.suffixes(below: pathOf(key)).isEmpty else { return nil }
        return try section(.empty(origin: fileName), key)
    }

    /// A map of named sections in the file's order, then those that only the environment has: a variable that ends in one
    /// of the keys `definedBy` names a section in small letters with dashes (`RECONCILED_GATEWAYS_STRIPE_EU_KIND`:
    /// `stripe-eu`).
    public mutating func sections(
        _ key: String, definedBy keys: [String] = ["kind"]
    ) throws -> [(name: String, section: SettingsSection)] {
        var result: [(name: String, section: SettingsSection)] = []
        if let value = try structuredValue(key) {
            guard case .map(let entries) = value.content else {
                throw failure(value, key, "the value is \(value.content.noun)", "a map of named sections")
            }
            for entry in entries {
                try checkName(entry.key, key, origin: entry.value.origin, line: entry.line)
                let content =
                    if case .null = entry.value.content { SettingsNode.Content.map([]) } else { entry.value.content }
                let node = SettingsNode(content: content, origin: entry.value.origin, line: entry.line)
                result.append((entry.key, try section(node, "\(key).\(entry.key)")))
            }
        }
        var known = Set(result.map { EnvironmentName.upperSnake($0.name) })
        let endings = keys.map { "_" + EnvironmentName.upperSnake($0) }
        for suffix in environment.suffixes(below: pathOf(key)) {
            guard let ending = endings.first(where: { suffix.hasSuffix($0) }) else { continue }
            let spelled = String(suffix.dropLast(ending.count))
            guard !spelled.isEmpty, known.insert(spelled).inserted else { continue }
            let name = EnvironmentName.kebab(spelled)
            try checkName(name, key, origin: EnvironmentName.variable(forPath: pathOf(key)) + "_" + suffix, line: nil)
            result.append((name, try section(.empty(origin: fileName), "\(key).\(name)")))
        }
        return result
    }

    /// A list of maps. A variable of the environment reaches into it by number from 0 (`RECONCILED_HTTP_TOKENS_0_NAME`).
    public mutating func sectionList(_ key: String) throws -> [SettingsSection] {
        var nodes: [SettingsNode] = []
        if let value = try structuredValue(key) {
            guard case .list(let items) = value.content else {
                throw failure(value, key, "the value is \(value.content.noun)", "a list of maps")
            }
            nodes = items
        }
        let suffixes = environment.suffixes(below: pathOf(key))
        while suffixes.contains(where: { $0.hasPrefix("\(nodes.count)_") }) { nodes.append(.empty(origin: fileName)) }
        return try nodes.enumerated().map { index, node in try section(node, "\(key)[\(index)]") }
    }
}

extension SettingsSection {
    static let namesAllowed = "1 to 63 letters, digits, \".\", \"_\" and \"-\", a letter or digit first"

    private func checkName(_ name: String, _ key: String, origin: String, line: Int?) throws(SettingsError) {
        let scalars = name.unicodeScalars
        func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
            ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
        }
        guard (1...63).contains(scalars.count), scalars.first.map(isAlphanumeric) == true,
            scalars.allSatisfy({ isAlphanumeric($0) || "._-".unicodeScalars.contains($0) })
        else {
            throw SettingsError(
                origin: origin, key: pathOf(key), line: line, problem: "\(quoted(name)) is not a name",
                allowed: Self.namesAllowed)
        }
    }

    private func section(_ value: SettingsNode, _ key: String) throws(SettingsError) -> SettingsSection {
        guard case .map = value.content else {
            throw failure(value, key, "the value is \(value.content.noun)", "a map of settings")
        }
        return SettingsSection(path: pathOf(key), node: value, fileName: fileName, environment: environment)
    }

    mutating func items(_ key: String, allowed: String) throws(SettingsError) -> [SettingsNode]? {
        guard let value = try structuredValue(key) else { return nil }
        return try items(value, key, allowed: allowed)
    }

    private func items(
        _ value: SettingsNode, _ key: String, allowed: String
    ) throws(SettingsError) -> [SettingsNode] {
        switch value.content {
        case .list(let items): return items
        case .map, .null: throw failure(value, key, "the value is \(value.content.noun)", allowed)
        case .scalar(let text):
            guard value.isFromEnvironment else { return [value] }
            return text.split(separator: ",").map { part in
                var item = part.drop { $0 == " " }
                while item.last == " " { item.removeLast() }
                return SettingsNode(content: .scalar(String(item)), origin: value.origin, line: nil)
            }
        }
    }

    /// The entries of a map, each overridden by its own variable, and those that only the environment has.
    private mutating func mapEntries(
        _ key: String, newKey: (String) -> String
    ) throws(SettingsError) -> [SettingsNode.Entry]? {
        let value = try structuredValue(key)
        var entries: [SettingsNode.Entry] = []
        if let value {
            guard case .map(let read) = value.content else {
                throw failure(value, key, "the value is \(value.content.noun)", "a map")
            }
            entries = read
        }
        let base = pathOf(key)
        var known: Set<String> = []
        for index in entries.indices {
            known.insert(EnvironmentName.upperSnake(entries[index].key))
            guard let (variable, text) = try environment.value(forPath: "\(base).\(entries[index].key)") else {
                continue
            }
            entries[index].value = SettingsNode(content: .scalar(text), origin: variable, line: nil)
        }
        for suffix in environment.suffixes(below: base) where !known.contains(suffix) {
            let name = newKey(suffix)
            guard let (variable, text) = try environment.value(forPath: "\(base).\(name)") else { continue }
            entries.append(
                .init(key: name, line: nil, value: .init(content: .scalar(text), origin: variable, line: nil)))
        }
        return value == nil && entries.isEmpty ? nil : entries
    }
}
