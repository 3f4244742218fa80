import ArgumentParser

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Find what cannot make progress or soon will not; exit 2 on findings.")

    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Print one JSON object: findings.")
    var json = false

    func run() async throws {
        let findings = try await database.withSession(checkingSchema: false) { session in
            try await OutsideWorld.with { outside in try await Diagnosis(session, outside).findings() }
        }
        if json {
            print(JSONText.object(["findings": JSONText.array(findings.map(\.json))]))
        } else if findings.isEmpty {
            print("no findings")
        } else {
            var table = TextTable([.init("FINDING"), .init("WATCH"), .init("LANE"), .init("ROW"), .init("WHAT")])
            for finding in findings {
                table.add([finding.kind, finding.watch, finding.lane, finding.rowID, finding.detail], style: .yellow)
            }
            StandardOutput.write(table)
        }
        if !findings.isEmpty { throw ExitCode(CommandFailure.findings) }
    }
}

/// Something that a person should look at.
struct DoctorFinding: Sendable {
    var kind: String
    var watch: String?
    var lane: String?
    /// One of the rows concerned.
    var rowID: String?
    /// In words, with what to do.
    var detail: String

    var json: String {
        JSONText.object([
            "finding": JSONText.quoted(kind), "lane": JSONText.quoted(lane), "row_id": JSONText.quoted(rowID),
            "watch": JSONText.quoted(watch), "detail": JSONText.quoted(detail),
        ])
    }
}
