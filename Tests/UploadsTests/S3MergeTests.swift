import JSON
import TestSupport
import Testing
import Timeline

@testable import Uploads

/// A merge whose S3 answers late, wrongly or never: published is only what is proved.
@Suite struct S3MergeTests {
    private typealias Replies = [S3Script.Kind: [S3Script.Reply]]

    private static let absentThenThere: [S3Script.Reply] = [.nothing, there]
    private static let there = S3Script.Reply.object(bytes: 12, etag: S3Sample.composite)
    private static let sound: Replies = [
        .list: [.list(S3Sample.parts)], .head: absentThenThere, .complete: [.completed(S3Sample.composite)],
    ]
    private static let noted = JSONValue.object([
        .init("upload_id", .string("U1")), .init("etag", .string(S3Sample.composite)),
    ])

    private func merge(
        _ replies: Replies, _ upload: Upload = S3Sample.upload(), state: JSONValue? = nil,
        lease: Duration = .seconds(600), isLeased: Bool = true, completeIdleLimit: Duration = .seconds(20),
        timeout: Duration = .seconds(20)
    ) async throws -> (MergeOutcome, S3Record) {
        try await withFakeS3(replies, timeout: timeout, completeIdleLimit: completeIdleLimit) { store, record in
            let plan = try #require(upload.plan)
            let work = S3Sample.work(record, state: state, lease: lease, isLeased: isLeased)
            return (await store.merge(upload, plan: plan, work: work), record)
        }
    }

    private func with(_ changes: Replies) -> Replies { Self.sound.merging(changes) { $1 } }

    private func publication(_ outcome: MergeOutcome) -> Publication? {
        if case .published(let publication) = outcome { publication } else { nil }
    }

    private func kind(_ outcome: MergeOutcome) -> StoreFault.Kind? {
        if case .fault(let fault) = outcome { fault.kind } else { nil }
    }

    private func detail(_ outcome: MergeOutcome) -> JSONValue? {
        if case .targetExists(let detail) = outcome { detail } else { nil }
    }

    // MARK: as it should be

    @Test func theCompositeIsNotedBeforeCompleteIsSentAndProvedAfterwards() async throws {
        let (outcome, record) = try await merge(Self.sound)
        let publication = try #require(self.publication(outcome))
        #expect(publication.etag == S3Sample.composite)
        #expect(publication.bytes == 12)
        #expect(publication.leavesNothing)
        #expect(publication.location.hasPrefix("http://127.0.0.1:"))
        #expect(publication.location.hasSuffix("/media/film.mp4"))
        #expect(record.events == ["list", "head", "note", "complete", "head"])
        #expect(record.noted == Self.noted)
        let complete = try #require(record.requests.first { $0.hasPrefix("POST") })
        #expect(complete.hasPrefix("POST /media/film.mp4?uploadId=U1 HTTP/1.1\r\n"))
        #expect(complete.lowercased().contains("\r\nif-none-match: *\r\n"))
        #expect(
            complete.hasSuffix(
                "<Part><PartNumber>3</PartNumber><ETag>\"\(S3Sample.etags[2])\"</ETag></Part></CompleteMultipartUpload>"
            ))
    }

    @Test func heartbeatsAreWaitedFor() async throws {
        let result = S3Text.completed(S3Sample.composite)
        let pieces =
            ["HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n<?xml version=\"1.0\"?>\n"]
            + Array(repeating: " ", count: 30) + [String(result.split(separator: "\n", maxSplits: 1)[1])]
        let (outcome, _) = try await merge(with([.complete: [.slow(pieces)]]), completeIdleLimit: .milliseconds(400))
        // The idle limit is never below a request's timeout.
        #expect(publication(outcome) != nil)
    }

    /// OpenStack Swift says nothing while it looks at the parts one by one.
    @Test func aStoreMayBeSilentForLongerTheMoreThePartsAre() async throws {
        let count = 100
        let parts = (1...count).map { S3Text.part($0, etag: S3Sample.etags[0], bytes: 5) }
        let composite = "20d1b4f59b68e28539fccb7452040777-100"
        var upload = S3Sample.upload()
        (upload.totalBytes, upload.chunkCount) = (Int64(count) * 5, count)
        let body = S3Text.completed(composite)
        let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
        let limit = Duration.milliseconds(500)
        let (outcome, record) = try await merge(
            [
                .list: [.list(parts)], .head: [.nothing, .object(bytes: upload.totalBytes, etag: composite)],
                .complete: [.slow(Array(repeating: "", count: 50) + [answer])],
            ], upload, completeIdleLimit: limit, timeout: limit)
        #expect(publication(outcome)?.etag == composite)
        #expect(record.events == ["list", "head", "note", "complete", "head"])
    }

    @Test func aStoreThatCannotBeAskedForAbsenceIsAskedWithout() async throws {
        for reply in [
            S3Script.Reply.error("501 No", "NotImplemented"), .error("400 Bad", "NotImplemented"), .answer("501 No"),
            Self.vague("InvalidArgument", more: "<ArgumentName>If-None-Match</ArgumentName>"),
            Self.vague("InvalidRequest", message: "Conditional requests are not supported."),
            .answer("400 Bad", body: "unknown header: if-none-match"),
        ] {
            let (outcome, record) = try await merge(
                with([.complete: [reply, .completed(S3Sample.composite)], .head: [.nothing, .nothing, Self.there]]))
            #expect(publication(outcome) != nil)
            #expect(record.events == ["list", "head", "note", "complete", "head", "complete", "head"])
            let sent = record.requests.filter { $0.hasPrefix("POST") }
            #expect(sent.map { $0.lowercased().contains("if-none-match") } == [true, false])
        }
    }

    private static func vague(_ code: String, message: String = "No.", more: String = "") -> S3Script.Reply {
        .answer("400 Bad", body: S3Text.error(code, message: message, more: more))
    }

    /// Whoever does not say that it is about the condition is not asked without: what came meanwhile would be overwritten.
    @Test func aRefusalOfAnythingElseKeepsTheCondition() async throws {
        let echo = "<CanonicalRequest>if-none-match:*</CanonicalRequest>"
        for reply in [
            Self.vague("InvalidArgument"), Self.vague("InvalidRequest"), Self.vague("BadRequest"), .answer("400 Bad"),
            Self.vague("InvalidRequest", more: echo),
            Self.vague("MalformedXML", message: "If-None-Match is fine, your XML is not."),
        ] {
            let (outcome, record) = try await merge(with([.complete: [reply, .completed(S3Sample.composite)]]))
            #expect(kind(outcome) == .unreadable)
            #expect(record.events == ["list", "head", "note", "complete", "note"])
            // Later, and with the same parts, it says the same.
            let (again, second) = try await merge(with([.complete: [reply]]), state: record.noted)
            #expect(kind(again) == .invalid(reason: "PARTS_REFUSED"))
            #expect(second.events == ["list", "head", "note", "complete"])
        }
    }

    @Test func whatALastingRefusalSaysIsTold() async throws {
        let replies = with([.complete: [.error("400 Bad", "MalformedXML")]])
        let (_, record) = try await merge(replies)
        let (outcome, _) = try await merge(replies, state: record.noted)
        guard case .fault(let fault) = outcome else { Issue.record("\(outcome)"); return }
        #expect(fault.problem.contains("HTTP 400, MalformedXML"))
        // What passes by itself is waited for, however often.
        let busy = with([.complete: [.error("400 Bad", "RequestTimeout")]])
        #expect(kind(try await merge(busy, state: record.noted).0) == .unavailable(retryAfter: nil))
    }

    /// What came while the store thought about a header that it does not know is not overwritten.
    @Test func aStoreThatCannotBeAskedForAbsenceIsLookedAtOnceMore() async throws {
        let other = S3Script.Reply.object(bytes: 12, etag: "other")
        let (outcome, record) = try await merge(
            with([.complete: [.error("400 Bad", "NotImplemented")], .head: [.nothing, other]]))
        #expect(detail(outcome)?["target_etag"]?.string == "other")
        #expect(record.events == ["list", "head", "note", "complete", "head"])
        // It is refused without the header too: that was not it.
        let (refused, sent) = try await merge(
            with([.complete: [.error("400 Bad", "NotImplemented"), .answer("400 Bad")], .head: [.nothing]]))
        #expect(kind(refused) == .unreadable)
        #expect(sent.events.count { $0 == "complete" } == 2)
    }

    @Test func theExpectedDigestIsReadOffTheObject() async throws {
        let body = S3Script.Reply.answer("200 OK", body: S3Sample.text)
        let (right, record) = try await merge(with([.get: [body]]), S3Sample.upload(sha256: S3Sample.sha256))
        #expect(publication(right) != nil)
        #expect(record.events == ["list", "head", "note", "complete", "head", "get"])
        let other = S3Script.Reply.answer("200 OK", body: "hello, World")
        let (wrong, _) = try await merge(with([.get: [other]]), S3Sample.upload(sha256: S3Sample.sha256))
        guard case .digestMismatch(let detail) = wrong else { Issue.record("\(wrong)"); return }
        #expect(detail["expected_sha256"]?.string == S3Sample.sha256)
        #expect(detail["target_sha256"]?.string?.utf8.count == 64)
    }

    @Test func anObjectThatCannotBeReadIsNotPublished() async throws {
        let cut = S3Script.Reply.raw("HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nhello")
        let short = S3Script.Reply.answer("200 OK", body: "hello")
        let long = S3Script.Reply.answer("200 OK", body: S3Sample.text + "!")
        let upload = S3Sample.upload(sha256: S3Sample.sha256)
        #expect(kind(try await merge(with([.get: [cut]]), upload).0) == .unavailable(retryAfter: nil))
        #expect(kind(try await merge(with([.get: [short]]), upload).0) == .unreadable)
        #expect(kind(try await merge(with([.get: [long]]), upload).0) == .unreadable)
        #expect(kind(try await merge(with([.get: [.error("403 No", "AccessDenied")]]), upload).0) == .misconfigured)
    }

    @Test func aWrongSizeIsFound() async throws {
        let (outcome, _) = try await merge(
            with([.head: [.nothing, .object(bytes: 11, etag: S3Sample.composite)]]))
        guard case .sizeMismatch(let detail) = outcome else { Issue.record("\(outcome)"); return }
        #expect(detail["target_bytes"]?.integer == 11)
    }

    @Test func aStoreThatReckonsETagsInItsOwnWayIsBelievedWhereItAnswers() async throws {
        let own = S3Script.Reply.object(bytes: 12, etag: "own-3")
        let (outcome, _) = try await merge(with([.complete: [.completed("own-3")], .head: [.nothing, own]]))
        #expect(publication(outcome)?.etag == "own-3")
        // But an object that is another than the one it answered for is not ours.
        let (other, _) = try await merge(with([.complete: [.completed("own-3")]]))
        #expect(detail(other)?["target_etag"]?.string == S3Sample.composite)
    }

    // MARK: lost answers

    private static let lost: [S3Script.Reply] = [
        .error("200 OK", "InternalError"), .error("500 Oops", "InternalError"), .answer("503 Busy"),
        .answer("200 OK", body: "   \n  "), .answer("200 OK", body: ""), .answer("200 OK", body: "<html></html>"),
        .answer("200 OK", body: String(S3Text.completed(S3Sample.composite).dropLast(9))),
        .raw("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n<?xml version=\"1.0\"?>   "), .raw(""), .stall,
    ]

    @Test(arguments: lost.indices) func aLostAnswerIsSettledByTheObject(index: Int) async throws {
        let replies = Self.lost[index]
        let limit = Duration.milliseconds(500)
        let (there, record) = try await merge(
            with([.complete: [replies]]), completeIdleLimit: limit, timeout: limit)
        #expect(publication(there)?.etag == S3Sample.composite)
        #expect(record.events == ["list", "head", "note", "complete", "head"])
        let (absent, _) = try await merge(
            with([.complete: [replies], .head: [.nothing]]), completeIdleLimit: limit, timeout: limit)
        #expect(kind(absent) == .unavailable(retryAfter: nil))
        for other in [S3Script.Reply.object(bytes: 12, etag: "other-3"), .object(bytes: 13, etag: S3Sample.composite)] {
            let (unproved, _) = try await merge(
                with([.complete: [replies], .head: [.nothing, other]]), completeIdleLimit: limit, timeout: limit)
            #expect(kind(unproved) == .unavailable(retryAfter: nil))
        }
    }

    @Test func slowDownPassesOnHowLong() async throws {
        let slow = S3Script.Reply.error("503 Slow Down", "SlowDown", headers: "retry-after: 7\r\n")
        let (outcome, _) = try await merge(with([.complete: [slow], .head: [.nothing]]))
        #expect(kind(outcome) == .unavailable(retryAfter: .seconds(7)))
    }

    @Test func theSuccessorFindsWhatItsPredecessorMade() async throws {
        let gone: Replies = [.list: [.noUpload]]
        let (found, record) = try await merge(gone.merging([.head: [Self.there]]) { $1 }, state: Self.noted)
        #expect(publication(found)?.etag == S3Sample.composite)
        #expect(record.events == ["list", "head"])
        // Without the note an object of the right size proves nothing.
        let (unknown, _) = try await merge(gone.merging([.head: [Self.there]]) { $1 })
        #expect(detail(unknown)?["note"] != nil)
        // A note about another multipart upload is none.
        var other = S3Sample.upload(uploadID: "U2")
        other.sha256 = nil
        let (stale, _) = try await merge(gone.merging([.head: [Self.there]]) { $1 }, other, state: Self.noted)
        #expect(detail(stale)?["note"] != nil)
        let (absent, _) = try await merge(gone.merging([.head: [.nothing]]) { $1 }, state: Self.noted)
        #expect(absent == .chunksChanged)
        let larger: Replies = [.head: [.object(bytes: 13, etag: "e")]]
        #expect(try await merge(gone.merging(larger) { $1 }).0 == .chunksChanged)
        #expect(detail(try await merge(gone.merging(larger) { $1 }, state: Self.noted).0) != nil)
    }

    @Test func theDigestProvesWhereTheETagCannot() async throws {
        let gone: Replies = [.list: [.noUpload], .head: [.object(bytes: 12, etag: "kms")]]
        let upload = S3Sample.upload(sha256: S3Sample.sha256)
        let body = S3Script.Reply.answer("200 OK", body: S3Sample.text)
        #expect(publication(try await merge(gone.merging([.get: [body]]) { $1 }, upload).0)?.etag == "kms")
        let other = S3Script.Reply.answer("200 OK", body: "HELLO, WORLD")
        #expect(try await merge(gone.merging([.get: [other]]) { $1 }, upload).0 == .chunksChanged)
    }

    @Test func anUploadThatIsGoneAtCompleteIsSettledByTheObject() async throws {
        let (there, _) = try await merge(with([.complete: [.noUpload]]))
        #expect(publication(there)?.leavesNothing == true)
        #expect(try await merge(with([.complete: [.noUpload], .head: [.nothing]])).0 == .chunksChanged)
        let other = S3Script.Reply.object(bytes: 12, etag: "other")
        #expect(detail(try await merge(with([.complete: [.noUpload], .head: [.nothing, other]])).0) != nil)
    }

    @Test func partsWithoutMD5sHaveNoComposite() async throws {
        let parts = [
            S3Text.part(1, etag: "kms-a", bytes: 5), S3Text.part(2, etag: "kms-b", bytes: 5),
            S3Text.part(3, etag: "kms-c", bytes: 2),
        ]
        let object = S3Script.Reply.object(bytes: 12, etag: "kms-whole")
        let answered: Replies = [
            .list: [.list(parts)], .head: [.nothing, object], .complete: [.completed("kms-whole")],
        ]
        #expect(publication(try await merge(answered).0)?.etag == "kms-whole")
        // The answer lost, nothing tells whose object that is.
        let lost = answered.merging([.complete: [.noUpload]]) { $1 }
        #expect(detail(try await merge(lost).0)?["note"] != nil)
    }

    // MARK: races and refusals

    @Test(arguments: [
        ("412 Precondition Failed", "PreconditionFailed"), ("409 Conflict", "ConditionalRequestConflict"),
        ("200 OK", "PreconditionFailed"),
    ])
    func aTargetThatCameMeanwhileIsCompared(status: String, code: String) async throws {
        let race = S3Script.Reply.error(status, code)
        #expect(publication(try await merge(with([.complete: [race]])).0)?.leavesNothing == false)
        let other = S3Script.Reply.object(bytes: 12, etag: "other")
        #expect(detail(try await merge(with([.complete: [race], .head: [.nothing, other]])).0) != nil)
        #expect(try await merge(with([.complete: [race], .head: [.nothing]])).0 == .chunksChanged)
    }

    @Test func aTargetThatWasThereIsCompared() async throws {
        let (same, record) = try await merge(with([.head: [Self.there]]))
        #expect(publication(same)?.leavesNothing == false)
        #expect(record.events == ["list", "head"])
        for other in [S3Script.Reply.object(bytes: 12, etag: "other"), .object(bytes: 1, etag: S3Sample.composite)] {
            let (outcome, record) = try await merge(with([.head: [other]]))
            #expect(detail(outcome)?["expected_etag"]?.string == S3Sample.composite)
            #expect(record.events == ["list", "head"])
        }
        let body = S3Script.Reply.answer("200 OK", body: S3Sample.text)
        let uploaded = S3Script.Reply.object(bytes: 12, etag: "as-one-object")
        let equal = try await merge(
            with([.head: [uploaded], .get: [body]]), S3Sample.upload(sha256: S3Sample.sha256))
        #expect(publication(equal.0)?.etag == "as-one-object")
    }

    @Test(arguments: ["InvalidPart", "InvalidPartOrder"]) func changedPartsAreLookedAtAgain(code: String) async throws {
        let (outcome, record) = try await merge(with([.complete: [.error("400 Bad", code)]]))
        #expect(outcome == .chunksChanged)
        #expect(record.events == ["list", "head", "note", "complete", "note"])
        // It lists the same parts and refuses them again.
        let noted = try #require(record.noted)
        let (again, second) = try await merge(with([.complete: [.error("400 Bad", code)]]), state: noted)
        #expect(kind(again) == .invalid(reason: "PARTS_REFUSED"))
        #expect(second.noted == noted)
        // One was sent again: it is another refusal.
        let changed = Array(S3Sample.parts.dropLast()) + [S3Text.part(3, etag: S3Sample.etags[0], bytes: 2)]
        let (other, _) = try await merge(
            with([.list: [.list(changed)], .complete: [.error("400 Bad", code)]]), state: noted)
        #expect(other == .chunksChanged)
        let (taken, _) = try await merge(Self.sound, state: noted)
        #expect(publication(taken) != nil)
    }

    @Test(arguments: [
        ("EntityTooSmall", StoreFault.Kind.invalid(reason: "PART_TOO_SMALL")),
        ("EntityTooLarge", .invalid(reason: "TOO_LARGE")), ("RequestTimeout", .unavailable(retryAfter: nil)),
        ("AccessDenied", .misconfigured),
    ])
    func refusalsHaveTheirReasons(code: String, expected: StoreFault.Kind) async throws {
        let (outcome, record) = try await merge(with([.complete: [.error("400 Bad", code)]]))
        #expect(kind(outcome) == expected)
        #expect(record.events.last == "complete")
    }

    @Test func missingOrWrongPartsAreNotMerged() async throws {
        let listings = [
            Array(S3Sample.parts.dropFirst()), Array(S3Sample.parts.dropLast()), [],
            Array(S3Sample.parts.dropLast()) + [S3Text.part(3, etag: S3Sample.etags[2], bytes: 3)],
            S3Sample.parts + [S3Text.part(1, etag: "another", bytes: 5)],
        ]
        for parts in listings {
            let (outcome, record) = try await merge(with([.list: [.list(parts)]]))
            #expect(outcome == .chunksChanged)
            #expect(record.events == ["list"])
        }
    }

    // MARK: the fence

    @Test func withoutALeaseNothingIsSent() async throws {
        let (short, record) = try await merge(Self.sound, lease: .seconds(20))
        #expect(short == .interrupted)
        #expect(record.events == ["list", "head"])
        let (lost, after) = try await merge(Self.sound, isLeased: false)
        #expect(lost == .interrupted)
        #expect(after.events == ["list", "head", "note"])
    }

    @Test func cancelledWhileCompletingItIsInterrupted() async throws {
        let outcome = try await withFakeS3(with([.complete: [.stall]])) { store, record in
            let upload = S3Sample.upload()
            let plan = try #require(upload.plan)
            return try await withThrowingTaskGroup(of: MergeOutcome?.self) { group in
                group.addTask { await store.merge(upload, plan: plan, work: S3Sample.work(record)) }
                try await eventually("Complete was sent") { record.events.contains("complete") }
                group.cancelAll()
                return try await group.next() ?? nil
            }
        }
        #expect(outcome == .interrupted)
    }
}
