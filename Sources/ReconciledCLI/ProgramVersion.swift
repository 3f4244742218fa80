/// The version of the program, as `--version`, the pollers' registry and logs show it.
enum ProgramVersion {
    static let text = "0.1.0"
}
