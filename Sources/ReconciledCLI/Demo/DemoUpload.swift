import Uploads

/// One upload of the demo, and what must become of it.
struct DemoUpload: Sendable {
    enum Scenario: CaseIterable {
        case whole, doubleLast, holes, arriving, killed, wrongDigest, abandoned, targetEqual, targetDifferent, empty

        var summary: String {
            switch self {
            case .whole: "every chunk was there, nobody merged them"
            case .doubleLast: "the last chunk is nearly twice as long as the others"
            case .holes: "chunks got lost; the client read which, and sent them again"
            case .arriving: "chunks arrived while we looked"
            case .killed: "its poller was killed in the middle of the merge"
            case .wrongDigest: "what arrived is not what was announced"
            case .abandoned: "the client never came back"
            case .targetEqual: "the file was there already, equal"
            case .targetDifferent: "another file of that name was there already"
            case .empty: "the file is empty"
            }
        }
    }

    var number: Int
    var scenario: Scenario
    var name: String
    var plan: ChunkPlan
    /// Whether the client announced a digest.
    var announces = true
    var store = "files"

    var id: String { "upload-\(number < 10 ? "0" : "")\(number)" }
    var content: DemoContent { DemoContent(number: number, totalBytes: plan.totalBytes) }
    /// What stands in the way of a `targetDifferent` one.
    var other: DemoContent { DemoContent(number: number + 100, totalBytes: plan.totalBytes) }
    var isOffset: Bool { store == "videos" }

    var expectedStatus: String {
        switch scenario {
        case .wrongDigest, .targetDifferent: "review"
        case .abandoned: "expired"
        default: "complete"
        }
    }

    var expectedReason: String? {
        switch scenario {
        case .wrongDigest: UploadReason.digestMismatch
        case .targetDifferent: UploadReason.targetExists
        default: nil
        }
    }

    /// What the file must hold in the end; nil: there must be none.
    var expectedContent: DemoContent? {
        switch scenario {
        case .wrongDigest, .abandoned: nil
        case .targetDifferent: other
        default: content
        }
    }

    /// The chunks that are there from the start; the rest comes later, or never.
    func isThereFromTheStart(_ index: Int) -> Bool {
        switch scenario {
        case .holes: index % 5 != 2 && index % 5 != 3
        case .arriving: index < 2
        case .abandoned: index % 2 == 0
        default: true
        }
    }

    /// Twenty of them, one of `largeBytes`.
    static func sample(largeBytes: Int64) -> [DemoUpload] {
        let kilobyte: Int64 = 1 << 10
        let sizes: [(Scenario, String, Int64, Int64, Int?)] = [
            (.whole, "photos/2024/beach.jpg", 3_000_001, 256 * kilobyte, nil),
            (.whole, "photos/2024/harbour.jpg", 1 << 20, 256 * kilobyte, nil),
            (.whole, "notes.txt", 17, 64 * kilobyte, nil),
            (.whole, "plan.pdf", 900_000, 64 * kilobyte, nil),
            (.whole, "songs/été.flac", 5_500_000, 512 * kilobyte, nil),
            (.doubleLast, "resumable.zip", 6 * 128 * kilobyte - 1, 128 * kilobyte, 5),
            (.holes, "report.docx", 1_500_000, 64 * kilobyte, nil),
            (.holes, "slides.odp", 4_000_000, 256 * kilobyte, nil),
            (.arriving, "recording.ogg", 640_000, 64 * kilobyte, nil),
            (.arriving, "scan.tiff", 2_400_000, 256 * kilobyte, nil),
            (.killed, "backup.tar", largeBytes, 8 << 20, nil),
            (.wrongDigest, "invoice.xml", 200_000, 64 * kilobyte, nil),
            (.abandoned, "holiday.mov", 2_000_000, 256 * kilobyte, nil),
            (.abandoned, "draft.psd", 700_000, 64 * kilobyte, nil),
            (.targetEqual, "logo.svg", 100_000, 64 * kilobyte, nil),
            (.targetDifferent, "contract.pdf", 300_000, 64 * kilobyte, nil),
            (.whole, "clip.mp4", 6_000_000, 512 * kilobyte, nil),
            (.arriving, "stream.webm", 3_000_000, 512 * kilobyte, nil),
            (.empty, "empty.log", 0, 64 * kilobyte, nil),
            (.whole, "without-digest.bin", 2_222_222, 256 * kilobyte, nil),
        ]
        return sizes.enumerated().compactMap { index, size in
            let (scenario, name, total, chunk, count) = size
            let chunks = count ?? Int((total + chunk - 1) / chunk)
            guard let plan = ChunkPlan(totalBytes: total, chunkBytes: chunk, count: chunks) else { return nil }
            var upload = DemoUpload(number: index + 1, scenario: scenario, name: name, plan: plan)
            upload.announces = name != "without-digest.bin"
            if name == "clip.mp4" || name == "stream.webm" { upload.store = "videos" }
            return upload
        }
    }
}
