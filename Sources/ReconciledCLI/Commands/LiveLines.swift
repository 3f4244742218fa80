import Glibc
import Logging
import Postgres
import Timeline

/// One report after the other, into a pipe or a file.
struct LiveLines: LiveOutput {
    let isJSON: Bool
    let logger: Logger

    func show(_ report: StatusReport) -> Bool {
        let text =
            isJSON
            ? report.json + "\n"
            : "\(Timestamp.wallClock.wholeSeconds)\n\(report.text(usesColour: StandardOutput.usesColour))\n"
        return Descriptor.write(text, to: STDOUT_FILENO)
    }

    func fail(_ error: PostgresError) -> Bool {
        logger.warning("the database cannot be reached; trying again", metadata: ["error": "\(error)"])
        return true
    }

    func refresh() -> Bool { true }
    func end() {}
}
