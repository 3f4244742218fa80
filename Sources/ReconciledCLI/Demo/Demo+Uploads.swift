import Timeline
import Uploads

extension Demo {
    var client: DemoClient { DemoClient(directory: directory.appending(path: "stores")) }

    /// Writes what the clients had sent before the demo begins, and computes what they announce.
    func prepareUploads() async throws -> (uploads: [DemoUpload], digests: [String?]) {
        let uploads = DemoUpload.sample(largeBytes: largeBytes)
        let digests = try await client.run { [client] in
            try client.makeRoots()
            return try uploads.map { upload -> String? in
                try client.begin(upload)
                guard upload.announces else { return nil }
                return upload.scenario == .wrongDigest ? upload.other.sha256 : upload.content.sha256
            }
        }
        return (uploads, digests)
    }

    /// The next chunk of each upload that is still being sent; of those with holes, the first one that a check found to
    /// be missing.
    func sendMore(_ report: DemoUploadReport) async throws {
        for upload in report.uploads where upload.scenario == .holes || upload.scenario == .arriving {
            guard let outcome = report.outcomes[upload.id], outcome.status == "receiving",
                let first = outcome.missing?.prefix(while: \.isNumber), let number = Int(first)
            else { continue }
            try await client.run { [client] in try client.send(number - DemoClient.firstIndex, of: upload) }
        }
    }

    /// Kills the poller that merges the large upload, once some of it is written; returns whether it was fast enough.
    func killDuringMerge(
        _ uploads: [DemoUpload], _ database: DemoDatabase, _ pollers: DemoPollers
    ) async throws -> Bool {
        guard let upload = uploads.first(where: { $0.scenario == .killed }) else { return false }
        let start = Moment.now
        while Moment.now < start + Self.limit {
            let outcome = try await database.uploadOutcomes().first { $0.id == upload.id }
            guard let outcome, outcome.status == "receiving" || outcome.status == "merging" else { return false }
            if outcome.status == "merging", outcome.mergedBytes > 0, let processID = outcome.processID,
                pollers.kill(processID, because: "with \(outcome.mergedBytes >> 20) MiB of \(upload.name) merged")
            {
                return true
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}
