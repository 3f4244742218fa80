import Foundation
import PackagePlugin

/// Embeds the texts of the target's `Dashboard/Assets`, for the reasons that stand at `EmbedSQL`.
@main
struct EmbedAssets: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedAssets.swift")
        let folder = target.directoryURL.appending(path: "Dashboard/Assets")
        let files = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
        return [
            .buildCommand(
                displayName: "Embedding assets",
                executable: try context.tool(named: "EmbedTool").url,
                arguments: [output.path, "EmbeddedAssets", folder.path],
                inputFiles: files, outputFiles: [output])
        ]
    }
}
