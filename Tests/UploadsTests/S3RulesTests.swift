import JSON
import Reconciling
import Testing
import Timeline

@testable import Uploads

/// Every row of the decision table as S3 makes it come about, and every fault of an S3 in the middle of it: from the
/// socket to what is written.
@Suite struct S3RulesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var replies: [S3Script.Kind: [S3Script.Reply]]
        var upload = S3Sample.upload()
        var progress: String?
        var at = S3RulesTests.now
        /// What each check comes to, in turn.
        var reasons: [String]
        var status: String
        var review: String?
        var missing: String?
        var detail: String?
        var reclaimed: Int64 = 0
        /// What the first check says about the lane.
        var signal = LaneSignal.answered
        /// How often Complete and Abort were sent.
        var completes = 0
        var aborts = 0

        var testDescription: String { name }
    }

    private static let now = Timestamp("2026-11-23T10:00:00Z")!
    /// An hour and a half after the last part.
    private static let later = Timestamp("2026-11-23T11:30:00Z")!
    private static let whole = S3Script.Reply.list(S3Sample.parts)
    private static let some = S3Script.Reply.list(Array(S3Sample.parts.dropLast()))
    private static let there = S3Script.Reply.object(bytes: 12, etag: S3Sample.composite)
    private static let other = S3Script.Reply.object(bytes: 12, etag: "other")
    private static let done = S3Script.Reply.completed(S3Sample.composite)
    private static let body = S3Script.Reply.answer("200 OK", body: S3Sample.text)
    private static let noted = #"{"state":{"upload_id":"U1","etag":"\#(S3Sample.composite)"}}"#
    private static let slowDown = S3Script.Reply.error("503 Slow Down", "SlowDown", headers: "retry-after: 7\r\n")
    private static let cut = S3Script.Reply.raw(
        "HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n<?xml version=\"1.0\"?>   ")

    private static func session(
        _ status: String = "merging", sha256: String? = nil, review: String? = nil
    ) -> Upload {
        var upload = S3Sample.upload(sha256: sha256)
        (upload.status, upload.reviewReason) = (status, review)
        return upload
    }

    private static func unnamed(_ status: String) -> Upload {
        var upload = S3Sample.upload(uploadID: nil)
        upload.status = status
        return upload
    }

    private static func parts(_ changed: String, at index: Int = 1) -> S3Script.Reply {
        var parts = S3Sample.parts
        parts[index] = changed
        return .list(parts)
    }

    private static let known = S3Sample.sha256
    private static let unknown = String(repeating: "0", count: 64)

    // MARK: what the parts are

    private static let arriving: [Case] = [
        Case(
            name: "a part is missing", replies: [.list: [some]], reasons: ["CHUNKS_MISSING"], status: "receiving",
            missing: "3"),
        Case(
            name: "no part has come", replies: [.list: [.list([])]], at: Timestamp("2026-11-23T09:30:00Z")!,
            reasons: ["CHUNKS_MISSING"], status: "receiving",
            missing: "1-3"),
        Case(
            name: "a part is short", replies: [.list: [parts(S3Text.part(2, etag: "e", bytes: 4))]],
            reasons: ["CHUNKS_MISSING"], status: "receiving", missing: "2", detail: "short"),
        Case(
            name: "a part is too long", replies: [.list: [parts(S3Text.part(2, etag: "e", bytes: 6))]],
            reasons: ["CHUNKS_MISSING"], status: "receiving", missing: "2", detail: "oversize"),
        Case(
            name: "two parts have one number",
            replies: [.list: [.list(S3Sample.parts + [S3Text.part(3, etag: "e", bytes: 2)])]],
            reasons: ["CHUNKS_MISSING"], status: "receiving", missing: "3", detail: "duplicate"),
        Case(
            name: "a part is still young",
            replies: [
                .list: [
                    .list(
                        S3Sample.parts.dropLast() + [
                            S3Text.part(3, etag: S3Sample.etags[2], bytes: 2, at: "2026-11-23T09:59:58.000Z")
                        ])
                ], .head: [.nothing, there], .complete: [done],
            ], reasons: ["NOT_QUIESCENT", "NOT_QUIESCENT", "CHUNKS_WHOLE", "MERGED"], status: "complete", missing: "",
            completes: 1),
        Case(
            name: "there is a part too many",
            replies: [
                .list: [.list(S3Sample.parts + [S3Text.part(4, etag: "e", bytes: 1)])], .head: [.nothing, there],
                .complete: [done],
            ], reasons: ["CHUNKS_WHOLE", "MERGED"], status: "complete", missing: "", completes: 1),
    ]

    // MARK: merges

    private static let merging: [Case] = [
        Case(
            name: "whole and quiet", replies: [.list: [whole], .head: [.nothing, there], .complete: [done]],
            reasons: ["CHUNKS_WHOLE", "MERGED"], status: "complete", missing: "", completes: 1),
        Case(
            name: "the digest is right",
            replies: [.list: [whole], .head: [.nothing, there], .complete: [done], .get: [body]],
            upload: session("receiving", sha256: known), reasons: ["CHUNKS_WHOLE", "MERGED"], status: "complete",
            missing: "", completes: 1),
        Case(
            name: "the digest is wrong",
            replies: [.list: [whole], .head: [.nothing, there], .complete: [done], .get: [body]],
            upload: session(sha256: unknown), reasons: ["DIGEST_MISMATCH"], status: "review",
            review: "DIGEST_MISMATCH", completes: 1),
        Case(
            name: "the object has another size",
            replies: [
                .list: [whole], .head: [.nothing, .object(bytes: 11, etag: S3Sample.composite)], .complete: [done],
            ], upload: session(), reasons: ["SIZE_MISMATCH"], status: "review", review: "SIZE_MISMATCH", completes: 1),
        Case(
            name: "its worker died before it sent Complete",
            replies: [.list: [whole], .head: [.nothing, there], .complete: [done]], upload: session(), progress: noted,
            reasons: ["MERGED"], status: "complete", missing: "", completes: 1),
        Case(
            name: "its worker died behind Complete", replies: [.list: [.noUpload], .head: [there]], upload: session(),
            progress: noted, reasons: ["MERGED"], status: "complete", missing: ""),
        Case(
            name: "what its worker made was overwritten", replies: [.list: [.noUpload], .head: [other]],
            upload: session(), progress: noted, reasons: ["TARGET_EXISTS"], status: "review", review: "TARGET_EXISTS"),
        Case(
            name: "it was aborted behind our back", replies: [.list: [.noUpload], .head: [.nothing]],
            upload: session(), reasons: ["CHUNKS_CHANGED", "CHUNKS_MISSING"], status: "receiving", missing: "1-3",
            detail: "session_gone"),
        Case(
            name: "a part was sent again at the last moment",
            replies: [
                .list: [whole], .head: [.nothing, .nothing, there],
                .complete: [.error("400 Bad", "InvalidPart"), done],
            ], upload: session(), reasons: ["CHUNKS_CHANGED", "CHUNKS_WHOLE", "MERGED"], status: "complete",
            missing: "", completes: 2),
        Case(
            name: "parts that the store lists and refuses for ever",
            replies: [.list: [whole], .head: [.nothing], .complete: [.error("400 Bad", "InvalidPart")]],
            upload: session(), reasons: ["CHUNKS_CHANGED", "CHUNKS_WHOLE", "PARTS_REFUSED"], status: "review",
            review: "PARTS_REFUSED", detail: "InvalidPart", completes: 2),
        Case(
            name: "a request that the store calls bad for ever",
            replies: [.list: [whole], .head: [.nothing], .complete: [.error("400 Bad", "MalformedXML")]],
            upload: session(), reasons: ["UNREADABLE", "PARTS_REFUSED"], status: "review", review: "PARTS_REFUSED",
            detail: "MalformedXML", completes: 2),
        Case(
            name: "the target is there and is this upload", replies: [.list: [whole], .head: [there]],
            upload: session(), reasons: ["MERGED", "RECLAIMED"], status: "complete", missing: ""),
        Case(
            name: "the target is there and its digest is this upload's",
            replies: [.list: [whole, whole, .noUpload], .head: [other], .get: [body], .abort: [.done]],
            upload: session(sha256: known), reasons: ["MERGED", "RECLAIMED"], status: "complete", missing: "",
            reclaimed: 12, aborts: 1),
        Case(
            name: "the target is there and is another", replies: [.list: [whole], .head: [other]], upload: session(),
            reasons: ["TARGET_EXISTS"], status: "review", review: "TARGET_EXISTS"),
        Case(
            name: "the parts are too small",
            replies: [.list: [whole], .head: [.nothing], .complete: [.error("400 Bad", "EntityTooSmall")]],
            upload: session(), reasons: ["PART_TOO_SMALL"], status: "review", review: "PART_TOO_SMALL", completes: 1),
        Case(
            name: "the row names no multipart upload", replies: [:], upload: S3Sample.upload(uploadID: nil),
            reasons: ["NO_UPLOAD_ID"], status: "review", review: "NO_UPLOAD_ID"),
        Case(
            name: "the target in the way was moved, and the review nudged",
            replies: [.list: [whole], .head: [.nothing, there], .complete: [done]],
            upload: session("review", review: "TARGET_EXISTS"), reasons: ["MERGED"], status: "complete", missing: "",
            completes: 1),
    ]

    // MARK: the end

    private static let ending: [Case] = [
        Case(
            name: "idle for too long",
            replies: [.list: [some, some, some, .noUpload], .head: [.nothing], .abort: [.done]],
            at: later, reasons: ["EXPIRED", "RECLAIMED"], status: "expired", missing: "3", reclaimed: 10, aborts: 1),
        Case(
            name: "a part lands behind the abort",
            replies: [.list: [some, some, some, some, .noUpload], .head: [.nothing], .abort: [.done]], at: later,
            reasons: ["EXPIRED", "RECLAIMED"], status: "expired", missing: "3", reclaimed: 10, aborts: 2),
        Case(
            name: "idle, and complete after all", replies: [.list: [.noUpload], .head: [there], .get: [body]],
            upload: session("receiving", sha256: known), at: later, reasons: ["FOUND_COMPLETE"], status: "complete",
            missing: ""),
        Case(
            name: "idle, and nobody can tell", replies: [.list: [.noUpload], .head: [other]], at: later,
            reasons: ["TARGET_EXISTS"], status: "review", review: "TARGET_EXISTS"),
        Case(
            name: "idle, and the store does not answer", replies: [.list: [.answer("503 Busy")]], at: later,
            reasons: ["UNAVAILABLE"], status: "receiving", signal: .failed(retryAfter: nil)),
        Case(
            name: "idle, and the proof is not answered",
            replies: [.list: [some], .head: [.error("500 Oops", "InternalError")]], at: later,
            reasons: ["UNAVAILABLE"], status: "receiving", signal: .failed(retryAfter: nil)),
        Case(
            name: "someone cancelled it",
            replies: [.list: [some, some, some, .noUpload], .head: [.nothing], .abort: [.done]],
            upload: session("expired"), reasons: ["EXPIRED", "RECLAIMED"], status: "expired", reclaimed: 10, aborts: 1),
        Case(
            name: "someone cancelled it, and nobody can tell what is there",
            replies: [.list: [some], .head: [other], .abort: [.done]], upload: session("expired"),
            reasons: ["EXPIRED", "TARGET_EXISTS"], status: "expired", review: "TARGET_EXISTS", detail: "by hand"),
        Case(
            name: "someone completed it, and it is there", replies: [.list: [.noUpload], .head: [there], .get: [body]],
            upload: session("complete", sha256: known), reasons: ["FOUND_COMPLETE"], status: "complete", missing: ""),
        Case(
            name: "a person said that what is there is right",
            replies: [.list: [whole, .noUpload], .head: [other], .abort: [.done]], upload: session("complete"),
            progress: #"{"reclaim_at":"2026-11-23T10:00:00Z"}"#, reasons: ["RECLAIMED"], status: "complete",
            reclaimed: 12, aborts: 1),
        Case(
            name: "a person said that it is there, and it is not",
            replies: [.list: [whole], .head: [.nothing], .abort: [.done]], upload: session("complete"),
            progress: #"{"reclaim_at":"2026-11-23T10:00:00Z"}"#, reasons: ["TARGET_MISSING"], status: "complete",
            review: "TARGET_MISSING"),
        Case(
            name: "someone cancelled a session without a multipart upload", replies: [:],
            upload: unnamed("expired"), reasons: ["NO_UPLOAD_ID"], status: "expired", review: "NO_UPLOAD_ID"),
        Case(
            name: "a person ended a session without a multipart upload", replies: [:], upload: unnamed("expired"),
            progress: #"{"resolved":true}"#, reasons: ["NOT_RECLAIMED"], status: "expired"),
        Case(
            name: "someone completed it, and something of another size is there",
            replies: [.list: [whole], .head: [.object(bytes: 11, etag: "e-3")], .abort: [.done]],
            upload: session("complete"), reasons: ["SIZE_MISMATCH"], status: "complete", review: "SIZE_MISMATCH",
            detail: #""target_bytes":11"#),
        Case(
            name: "someone completed it, and something of another digest is there",
            replies: [.list: [whole], .head: [other], .get: [body], .abort: [.done]],
            upload: session("complete", sha256: unknown), reasons: ["DIGEST_MISMATCH"], status: "complete",
            review: "DIGEST_MISMATCH", detail: known),
        Case(
            name: "someone completed it, and it is not there", replies: [.list: [.noUpload], .head: [.nothing]],
            upload: session("complete"), reasons: ["TARGET_MISSING"], status: "complete", review: "TARGET_MISSING"),
    ]

    // MARK: faults

    private static let failing: [Case] = [
        Case(
            name: "an error inside a 200",
            replies: [
                .list: [whole], .head: [.nothing, .nothing, .nothing, there],
                .complete: [.error("200 OK", "InternalError"), done],
            ], upload: session(), reasons: ["UNAVAILABLE", "MERGED"], status: "complete", missing: "",
            signal: .failed(retryAfter: nil), completes: 2),
        Case(
            name: "a cut body, and it was done",
            replies: [.list: [whole], .head: [.nothing, there], .complete: [cut]],
            upload: session(), reasons: ["MERGED"], status: "complete", missing: "", completes: 1),
        Case(
            name: "a cut body, no answer to the question, and it was done",
            replies: [
                .list: [whole, .noUpload], .head: [.nothing, .answer("503 Busy"), there], .complete: [cut],
            ], upload: session(), reasons: ["UNAVAILABLE", "MERGED"], status: "complete", missing: "",
            signal: .failed(retryAfter: nil), completes: 1),
        Case(
            name: "NoSuchUpload after success",
            replies: [.list: [whole], .head: [.nothing, there], .complete: [.noUpload]], upload: session(),
            reasons: ["MERGED"], status: "complete", missing: "", completes: 1),
        Case(
            name: "NoSuchUpload, and nothing is there",
            replies: [.list: [whole, .noUpload], .head: [.nothing], .complete: [.noUpload]], upload: session(),
            reasons: ["CHUNKS_CHANGED", "CHUNKS_MISSING"], status: "receiving", missing: "1-3", completes: 1),
        Case(
            name: "NoSuchUpload after success, and the object is shown late",
            replies: [
                .list: [whole, .noUpload], .head: [.nothing, .nothing, .nothing, there], .complete: [.noUpload],
            ],
            upload: session(), reasons: ["CHUNKS_CHANGED", "FOUND_COMPLETE"], status: "complete", missing: "",
            completes: 1),
        Case(
            name: "no room at the store",
            replies: [
                .list: [whole], .head: [.nothing, .nothing, .nothing, there],
                .complete: [.error("507 Full", "XMinioStorageFull"), done],
            ], upload: session(), reasons: ["UNAVAILABLE", "MERGED"], status: "complete", missing: "",
            signal: .failed(retryAfter: nil), completes: 2),
        Case(
            name: "SlowDown at a look", replies: [.list: [slowDown, some]], reasons: ["UNAVAILABLE", "CHUNKS_MISSING"],
            status: "receiving", missing: "3", signal: .failed(retryAfter: .seconds(7))),
        Case(
            name: "SlowDown at Complete",
            replies: [.list: [whole], .head: [.nothing, .nothing, .nothing, there], .complete: [slowDown, done]],
            upload: session(), reasons: ["UNAVAILABLE", "MERGED"], status: "complete", missing: "",
            signal: .failed(retryAfter: .seconds(7)), completes: 2),
        Case(
            name: "a list that is cut", replies: [.list: [.answer("200 OK", body: "<ListPartsResult><Part>"), some]],
            reasons: ["UNREADABLE", "CHUNKS_MISSING"], status: "receiving", missing: "3"),
        Case(
            name: "a list without end", replies: [.list: [.page { S3Text.list([], next: $0 + 1) }]],
            reasons: ["UNREADABLE"], status: "receiving"),
        Case(
            name: "an abort that is refused", replies: [.list: [some], .head: [.nothing], .abort: [slowDown]],
            upload: session("expired"), progress: #"{"incomplete":true}"#, reasons: ["UNAVAILABLE"],
            status: "expired", signal: .failed(retryAfter: .seconds(7)), aborts: 1),
    ]

    @Test(arguments: [arriving, merging, ending, failing].flatMap { $0 }) func fromTheSocketToTheRow(row: Case)
        async throws
    {
        try await withFakeS3(row.replies, timeout: .milliseconds(2_000)) { store, record in
            let reconciler = UploadReconciler(lanes: ["media": UploadLane(store: store, policy: Session.policy)])
            var session = WatchedSession(row.upload)
            (session.now, session.dueAt, session.progress) = (row.at, row.at, row.progress)
            var changes: [UploadChange] = []
            for (index, reason) in row.reasons.enumerated() {
                #expect(await session.check(reconciler), "at rest before its time")
                let last = try #require(session.last)
                #expect(last.reason == reason, "\(last.answer ?? "") \(last.error ?? "")")
                if index == 0 { #expect(last.laneSignal == row.signal) }
                if let change = last.change { changes.append(change) }
            }
            #expect(session.upload.status == row.status)
            #expect(session.upload.reviewReason == row.review)
            if let missing = row.missing { #expect(changes.compactMap(\.missing).last == missing) }
            if let detail = row.detail { #expect(changes.last?.reviewDetail?.contains(detail) == true) }
            #expect(session.reclaimedBytes == row.reclaimed)
            #expect(record.events.count { $0 == "complete" } == row.completes)
            #expect(record.events.count { $0 == "abort" } == row.aborts)
            // What is decided or for humans rests; everything else is checked again.
            let rests =
                row.status == "review" || ["RECLAIMED", "NOT_RECLAIMED"].contains(row.reasons.last) || row.review != nil
                || (row.status == "complete")
            #expect((session.dueAt == nil) == rests)
            #expect(session.last?.error?.contains("very-secret") != true)
            #expect(session.last?.answer?.contains("very-secret") != true)
        }
    }

    @Test(arguments: [("403 No", "SignatureDoesNotMatch"), ("404 No", "NoSuchBucket"), ("403 No", "AccessDenied")])
    func whatTheConfigurationIsToBlameForChangesNoRow(status: String, code: String) async throws {
        try await withFakeS3([.list: [.error(status, code)]]) { store, record in
            let reconciler = UploadReconciler(lanes: ["media": UploadLane(store: store, policy: Session.policy)])
            for upload in [S3Sample.upload(), Self.session(), Self.session("expired")] {
                var session = WatchedSession(upload)
                (session.now, session.dueAt) = (Self.now, Self.now)
                #expect(await session.check(reconciler))
                #expect(session.last?.next == .handBack && session.last?.change == nil)
                guard case .misconfigured = session.last?.laneSignal else { Issue.record("\(code)"); return }
            }
            #expect(record.events.allSatisfy { $0 == "list" })
        }
    }
}
