/// Freedoms of the command line that the parser does not know.
enum CommandLineWords {
    /// Options that may stand before the subcommand and take a value.
    private static let leading = ["--config", "--log-format", "--log-level"]

    /// Moves common options behind the subcommand, and gives `--embedded` its default folder where none follows.
    static func normalised(_ words: [String]) -> [String] {
        var moved: [String] = []
        var rest = words[...]
        while let first = rest.first {
            if leading.contains(first), rest.count >= 2 {
                moved += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if leading.contains(where: { first.hasPrefix($0 + "=") }) || first == "--json" {
                moved.append(first)
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        guard let command = rest.first, !command.hasPrefix("-") else { return words }
        return [command] + moved + embedded(rest.dropFirst())
    }

    /// `--embedded [DIR]`: a word behind it that is no option is the folder, in whatever command and place. In
    /// `show --embedded orders A-1` an argument is missing then, which is told; taken for an argument, a folder would give
    /// its place to the default one in silence.
    private static func embedded(_ words: ArraySlice<String>) -> [String] {
        var result: [String] = []
        var rest = words
        while let word = rest.popFirst() {
            guard word == "--embedded" else {
                result.append(word)
                if word == "--" { return result + rest }
                continue
            }
            if let next = rest.first, !next.hasPrefix("-") {
                result.append("--embedded=\(next)")
                rest = rest.dropFirst()
            } else {
                result.append("--embedded=\(EmbeddedPostgres.defaultDirectory)")
            }
        }
        return result
    }
}
