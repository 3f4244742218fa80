import Foundation

/// `EmbedSQLTool OUTPUT FOLDER…` writes one Swift enum with a list of (name, text) for each folder, sorted by name.
@main
struct EmbedSQLTool {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let output = arguments.first else { fatalError("usage: EmbedSQLTool OUTPUT FOLDER…") }
        var source = "/// Generated from the repository's SQL folders by EmbedSQLTool.\npackage enum EmbeddedSQL {\n"
        for folder in arguments.dropFirst().map({ URL(filePath: $0) }) {
            source += "    package static let \(folder.lastPathComponent): [(name: String, text: String)] = [\n"
            let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .filter { $0.pathExtension == "sql" }
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
            for file in files {
                let text = try String(contentsOf: file, encoding: .utf8)
                let name = file.deletingPathExtension().lastPathComponent
                source += "        (\"\(name)\", ###\"\"\"\n\(text)\n\"\"\"###),\n"
            }
            source += "    ]\n"
        }
        source += "}\n"
        try source.write(to: URL(filePath: output), atomically: true, encoding: .utf8)
    }
}
