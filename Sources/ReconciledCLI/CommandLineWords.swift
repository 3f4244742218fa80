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
        return [command] + moved + embedded(rest.dropFirst(), command: command)
    }

    /// `--embedded [DIR]`. Only commands without arguments of their own take the folder as a word of its own: in
    /// `show --embedded orders A-1` nobody could tell.
    private static func embedded(_ words: ArraySlice<String>, command: String) -> [String] {
        var result: [String] = []
        var rest = words
        while let word = rest.popFirst() {
            guard word == "--embedded" else {
                result.append(word)
                if word == "--" { return result + rest }
                continue
            }
            if ["run", "migrate", "status", "doctor"].contains(command), let next = rest.first, !next.hasPrefix("-") {
                result.append("--embedded=\(next)")
                rest = rest.dropFirst()
            } else {
                result.append("--embedded=\(EmbeddedPostgres.defaultDirectory)")
            }
        }
        return result
    }
}
