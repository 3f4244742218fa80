import Foundation
import PackagePlugin

/// Embeds the texts of `migrations/` and `sql/` in the target that uses this plugin.
///
/// A plugin, not resources: a binary that is moved keeps its statements, names stay exact, and a file added later is
/// seen without touching `Package.swift`.
@main
struct EmbedSQL: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedSQL.swift")
        let folders = ["migrations", "sql"].map { context.package.directoryURL.appending(path: $0) }
        let files = try folders.flatMap { folder in
            try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .filter { $0.pathExtension == "sql" }
        }
        return [
            .buildCommand(
                displayName: "Embedding SQL",
                executable: try context.tool(named: "EmbedTool").url,
                arguments: [output.path, "EmbeddedSQL"] + folders.map(\.path),
                inputFiles: files, outputFiles: [output])
        ]
    }
}
