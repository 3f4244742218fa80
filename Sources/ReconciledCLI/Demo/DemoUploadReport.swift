/// How the demo's uploads stand: each against its truth, as far as the database tells.
struct DemoUploadReport {
    let uploads: [DemoUpload]
    private(set) var outcomes: [String: DemoDatabase.UploadOutcome]
    /// What was found on the disk in the end.
    var problems: [String] = []

    init(_ uploads: [DemoUpload], _ outcomes: [DemoDatabase.UploadOutcome]) {
        self.uploads = uploads
        self.outcomes = Dictionary(uniqueKeysWithValues: outcomes.map { ($0.id, $0) })
    }

    var atTheirTruth: Int { uploads.count(where: isRight) }

    var isOver: Bool { atTheirTruth == uploads.count }

    func isRight(_ upload: DemoUpload) -> Bool {
        guard let outcome = outcomes[upload.id] else { return false }
        return outcome.status == upload.expectedStatus && outcome.reviewReason == upload.expectedReason
            && outcome.isResting && (outcome.isReclaimed || outcome.status == "review")
    }

    // MARK: lines

    /// `backup.tar  ██████····  merging 45 %`
    func line(_ upload: DemoUpload) -> String {
        let name = upload.name.prefix(24)
        let padding = String(repeating: " ", count: max(0, 24 - TerminalText.width(String(name))))
        return "\(name)\(padding)  \(Self.bar(fraction(upload), width: 20))  \(state(upload))"
    }

    func state(_ upload: DemoUpload) -> String {
        guard let outcome = outcomes[upload.id] else { return "unknown" }
        switch outcome.status {
        case "receiving": return "receiving \(outcome.receivedChunks)/\(upload.plan.count) chunks"
        case "merging": return "merging \(Int(fraction(upload) * 100)) %"
        case "review": return "review: \(outcome.reviewReason ?? "")"
        default: return outcome.status + (outcome.isReclaimed ? ", chunks reclaimed" : "")
        }
    }

    private func fraction(_ upload: DemoUpload) -> Double {
        guard let outcome = outcomes[upload.id] else { return 0 }
        switch outcome.status {
        case "complete": return 1
        case "merging": return Double(outcome.mergedBytes) / Double(max(upload.plan.totalBytes, 1))
        default: return Double(outcome.receivedChunks) / Double(max(upload.plan.count, 1))
        }
    }

    static func bar(_ fraction: Double, width: Int) -> String {
        let filled = Int(min(max(fraction, 0), 1) * Double(width))
        return String(repeating: "█", count: filled) + String(repeating: "·", count: width - filled)
    }

    /// For people, at the end.
    func rendered(usesColour: Bool) -> String {
        var table = TextTable([.init("status"), .init("reason"), .init("uploads", .right), .init("what had happened")])
        for scenario in DemoUpload.Scenario.allCases {
            let group = uploads.filter { $0.scenario == scenario }
            for status in Set(group.map { outcomes[$0.id]?.status ?? "lost" }).sorted() {
                let members = group.filter { (outcomes[$0.id]?.status ?? "lost") == status }
                let reason = members.first.flatMap { outcomes[$0.id]?.reviewReason }
                let style: Style? = status == "review" ? .yellow : status == "complete" ? .green : nil
                table.add([status, reason, "\(members.count)", scenario.summary], style: style)
            }
        }
        let right = problems.isEmpty ? "their files' digests compared" : "but not all of their files are right"
        var text = "\n" + table.rendered(usesColour: usesColour) + "\n"
        text += "\(atTheirTruth) of \(uploads.count) uploads are where their truth says, \(right).\n"
        let wrong = uploads.filter { !isRight($0) }.map { "\($0.id) \($0.name): \(state($0))" } + problems
        if !wrong.isEmpty { text += "\nNot where their truth says:\n" + wrong.map { "  \($0)\n" }.joined() }
        return text
    }
}
