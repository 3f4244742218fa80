import Yams

/// YAML text into the document's own tree, with bounds: it is read before anything else may fail.
enum YAMLText {
    static let bytesMax = 1 << 20
    static let nodesMax = 20_000
    static let anchorsMax = 16
    static let aliasesMax = 64

    /// - Parameter lines: false for text of an environment variable, where a line number would mislead.
    static func parse(_ text: String, origin: String, key: String, lines: Bool) throws(SettingsError) -> SettingsNode {
        func failure(_ line: Int?, _ problem: String, _ allowed: String) -> SettingsError {
            SettingsError(origin: origin, key: key, line: lines ? line : nil, problem: problem, allowed: allowed)
        }
        guard text.utf8.count <= bytesMax else {
            throw failure(nil, "the text has \(text.utf8.count) bytes", "at most \(bytesMax)")
        }
        // Anchors that hold aliases of anchors ("billion laughs") multiply; composing hashes keys, so they are counted first.
        guard indicators("&", in: text) <= anchorsMax, indicators("*", in: text) <= aliasesMax else {
            throw failure(nil, "too many anchors or aliases", "\(anchorsMax) anchors and \(aliasesMax) aliases")
        }
        let composed: Node?
        do {
            composed = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            let (line, problem) = describe(error, in: text)
            throw failure(line, problem, "YAML 1.1 or JSON, indented with spaces")
        } catch {
            throw failure(nil, "the text could not be read", "YAML 1.1 or JSON")
        }
        guard let composed else { return SettingsNode(content: .null, origin: origin, line: nil) }
        var converter = Converter(origin: origin, lines: lines)
        return try converter.convert(composed, path: key, depth: 0)
    }

    /// How many tokens of the text may be an anchor (`&name`) or an alias (`*name`); some may be plain text.
    private static func indicators(_ indicator: Character, in text: String) -> Int {
        var count = 0
        var previous: Character = "\n"
        var pending = false
        for character in text {
            if pending && !character.isWhitespace && character != indicator { count += 1 }
            pending = character == indicator && (previous.isWhitespace || "[{,:?-".contains(previous))
            previous = character
        }
        return count
    }

    /// The composer knows where a duplicate key stood first; people look for the second. The first line where it cannot
    /// be told, as in `{a: 1, a: 2}`.
    private static func secondLine(of key: String, after first: Int, in text: String) -> Int {
        let rows = text.split(separator: "\n", omittingEmptySubsequences: false)
        let second = rows.indices.dropFirst(first).first { index in
            let row = rows[index].drop { " -\"'".contains($0) }
            return row.hasPrefix(key) && row.dropFirst(key.count).drop { "\"' ".contains($0) }.first == ":"
        }
        return second.map { $0 + 1 } ?? first
    }

    private static func describe(_ error: YamlError, in text: String) -> (line: Int?, problem: String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            let rows = text.split(separator: "\n", maxSplits: mark.line, omittingEmptySubsequences: false)
            let isTab = mark.line <= rows.count && rows[mark.line - 1].prefix { $0.isWhitespace }.contains("\t")
            return (mark.line, isTab ? "the line is indented with a tab" : problem)
        case .reader(let problem, let offset, _, _):
            return (offset.map { text.prefix($0).count { $0.isNewline } + 1 }, problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first ?? ""
            let first = context.mark.line
            return (
                secondLine(of: key, after: first, in: text), "the key \(quoted(key)) was given in line \(first) already"
            )
        default:
            return (nil, "the text is not YAML")
        }
    }
}

extension YAMLText {
    /// Copies the composed tree; aliases were replaced by what they stand for, so the copy is counted.
    private struct Converter {
        let origin: String
        let lines: Bool
        var nodes = 0

        init(origin: String, lines: Bool) {
            self.origin = origin
            self.lines = lines
        }

        func failure(_ path: String, _ line: Int?, _ problem: String, _ allowed: String) -> SettingsError {
            SettingsError(origin: origin, key: path, line: lines ? line : nil, problem: problem, allowed: allowed)
        }

        mutating func convert(_ node: Node, path: String, depth: Int) throws(SettingsError) -> SettingsNode {
            nodes += 1
            let line = node.mark?.line
            guard nodes <= nodesMax, depth <= 32 else {
                throw failure(path, line, "too large or too deeply nested", "\(nodesMax) values, 32 levels")
            }
            let tag = node.tag.description
            guard tag.hasPrefix("tag:yaml.org,2002:"), tag != "tag:yaml.org,2002:binary" else {
                throw failure(path, line, "the tag \(quoted(tag)) has no meaning here", "values without a tag")
            }
            return SettingsNode(
                content: try content(of: node, path: path, depth: depth), origin: origin, line: lines ? line : nil)
        }

        mutating func content(of node: Node, path: String, depth: Int) throws(SettingsError) -> SettingsNode.Content {
            switch node {
            case .scalar(let scalar):
                let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
                return isNull ? .null : .scalar(scalar.string)
            case .sequence(let sequence):
                var items: [SettingsNode] = []
                for (index, item) in sequence.enumerated() {
                    items.append(try convert(item, path: "\(path)[\(index)]", depth: depth + 1))
                }
                return .list(items)
            case .mapping(let mapping):
                var entries: [SettingsNode.Entry] = []
                var seen: Set<String> = []
                for (key, value) in mapping {
                    let line = key.mark?.line
                    guard case .scalar(let scalar) = key, !scalar.string.isEmpty else {
                        throw failure(path, line, "a key is not a word", "words as keys")
                    }
                    let keyPath = path.isEmpty ? scalar.string : "\(path).\(scalar.string)"
                    guard seen.insert(scalar.string).inserted else {
                        throw failure(keyPath, line, "the key stands here a second time", "each key once")
                    }
                    entries.append(
                        .init(
                            key: scalar.string, line: lines ? line : nil,
                            value: try convert(value, path: keyPath, depth: depth + 1)))
                }
                return .map(entries)
            case .alias:
                throw failure(path, node.mark?.line, "the alias stands for nothing", "an alias of an anchor above it")
            }
        }
    }
}
