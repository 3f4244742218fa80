import Foundation

/// `EmbedTool OUTPUT ENUM FOLDER…` writes one Swift enum with a list of (name, text) for each folder, sorted by name: a
/// statement's name is its file's without `.sql`, any other text's is its file's.
@main
struct EmbedTool {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count > 2 else { fatalError("usage: EmbedTool OUTPUT ENUM FOLDER…") }
        let output = arguments[1]
        var source = "/// Generated from the repository's files by EmbedTool.\npackage enum \(arguments[2]) {\n"
        for folder in arguments.dropFirst(2).map({ URL(filePath: $0) }) {
            source +=
                "    package static let \(folder.lastPathComponent.lowercased()): [(name: String, text: String)] = [\n"
            let files = try FileManager.default.contentsOfDirectory(
                at: folder, includingPropertiesForKeys: nil, options: .skipsHiddenFiles
            ).sorted { $0.lastPathComponent < $1.lastPathComponent }
            for file in files {
                let text = try String(contentsOf: file, encoding: .utf8)
                let isStatement = file.pathExtension == "sql"
                let name = (isStatement ? file.deletingPathExtension() : file).lastPathComponent
                source += "        (\"\(name)\", ###\"\"\"\n\(text)\n\"\"\"###),\n"
            }
            source += "    ]\n"
        }
        source += "}\n"
        try source.write(to: URL(filePath: output), atomically: true, encoding: .utf8)
    }
}
