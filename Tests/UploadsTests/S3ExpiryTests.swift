import JSON
import Testing
import Timeline

@testable import Uploads

/// Before and while a session's parts are given up: nothing that may be complete is.
@Suite struct S3ExpiryTests {
    private typealias Replies = [S3Script.Kind: [S3Script.Reply]]

    private static let some = S3Script.Reply.list(Array(S3Sample.parts.dropLast()))
    private static let there = S3Script.Reply.object(bytes: 12, etag: S3Sample.composite)
    private static let noted = JSONValue.object([
        .init("upload_id", .string("U1")), .init("etag", .string(S3Sample.composite)),
    ])

    private func proof(
        _ replies: Replies, sha256: String? = nil, state: JSONValue? = nil
    ) async throws -> Result<CompletionProof, StoreFault> {
        try await withFakeS3(replies) { store, record in
            let upload = S3Sample.upload(sha256: sha256)
            let plan = try #require(upload.plan)
            return await store.proof(upload, plan: plan, work: S3Sample.work(record, state: state))
        }
    }

    private func discard(
        _ replies: Replies, state: JSONValue? = nil, lease: Duration = .seconds(600),
        within limit: Duration = .seconds(60)
    ) async throws -> (Result<Discarded, StoreFault>, S3Record) {
        try await withFakeS3(replies) { store, record in
            let upload = S3Sample.upload()
            let plan = try #require(upload.plan)
            let work = S3Sample.work(record, state: state, lease: lease, within: limit)
            return (await store.discard(upload, plan: plan, work: work), record)
        }
    }

    private func isComplete(_ proof: CompletionProof) -> Bool {
        if case .complete = proof { true } else { false }
    }

    private func isUndecided(_ proof: CompletionProof) -> Bool {
        if case .undecided = proof { true } else { false }
    }

    // MARK: proof

    @Test func anObjectIsProvedByTheNoteOrTheParts() async throws {
        #expect(isComplete(try await proof([.list: [.noUpload], .head: [Self.there]], state: Self.noted).get()))
        #expect(isComplete(try await proof([.list: [.list(S3Sample.parts)], .head: [Self.there]]).get()))
        #expect(isUndecided(try await proof([.list: [.noUpload], .head: [Self.there]]).get()))
        #expect(isUndecided(try await proof([.list: [Self.some], .head: [Self.there]]).get()))
        // The parts were sent again since: the object is made of those that are there.
        let stale = JSONValue.object([.init("upload_id", .string("U1")), .init("etag", .string("0-3"))])
        #expect(
            isComplete(
                try await proof([.list: [.list(S3Sample.parts)], .head: [Self.there]], state: stale).get()))
        let other = S3Script.Reply.object(bytes: 12, etag: "other")
        #expect(isUndecided(try await proof([.list: [.noUpload], .head: [other]], state: Self.noted).get()))
    }

    private func difference(_ proof: CompletionProof) -> String? {
        if case .different(let reason, _) = proof { reason } else { nil }
    }

    @Test func nothingIsIncompleteAndAnotherSizeADifference() async throws {
        let larger = S3Script.Reply.object(bytes: 13, etag: S3Sample.composite)
        #expect(try await proof([.list: [.noUpload], .head: [.nothing]], state: Self.noted).get() == .incomplete)
        let other = try await proof([.list: [.noUpload], .head: [larger]], state: Self.noted).get()
        #expect(difference(other) == "SIZE_MISMATCH")
    }

    @Test func theDigestDecides() async throws {
        let right = S3Script.Reply.answer("200 OK", body: S3Sample.text)
        let wrong = S3Script.Reply.answer("200 OK", body: "HELLO, WORLD")
        let other = S3Script.Reply.object(bytes: 12, etag: "other")
        func proved(_ head: S3Script.Reply, _ get: S3Script.Reply) async throws -> CompletionProof {
            try await proof(
                [.list: [.noUpload], .head: [head], .get: [get]], sha256: S3Sample.sha256, state: Self.noted
            ).get()
        }
        #expect(isComplete(try await proved(other, right)))
        #expect(isComplete(try await proved(Self.there, right)))
        #expect(difference(try await proved(other, wrong)) == "DIGEST_MISMATCH")
        // Made of our parts, which are wrong themselves.
        #expect(isUndecided(try await proved(Self.there, wrong)))
    }

    @Test func aStoreThatCannotBeAskedProvesNothing() async throws {
        for list in [
            S3Script.Reply.error("404 Not Found", "NoSuchBucket"), .error("403 Forbidden", "AccessDenied"),
            .answer("500 Oops"), .answer("404 Not Found"),
        ] {
            let result = try await proof([.list: [list], .head: [.nothing]])
            guard case .failure = result else { Issue.record("\(result)"); return }
        }
        let denied = try await proof([.list: [.noUpload], .head: [.answer("403 Forbidden")]])
        guard case .failure(let fault) = denied else { Issue.record("\(denied)"); return }
        #expect(fault.kind == .misconfigured)
    }

    // MARK: discard

    @Test func anUploadIsAbortedUntilNothingIsLeft() async throws {
        // A part that was on its way lands after the first Abort.
        let landed = S3Script.Reply.list(S3Sample.parts)
        let (result, record) = try await discard([
            .list: [Self.some, landed, .list([])], .head: [.nothing], .abort: [.done],
        ])
        #expect(try result.get() == Discarded(bytes: 12, isKept: false))
        #expect(record.events == ["list", "head", "note", "abort", "list", "note", "abort", "list"])
        let (gone, _) = try await discard([
            .list: [Self.some, .noUpload], .head: [.nothing], .abort: [.noUpload],
        ])
        #expect(try gone.get() == Discarded(bytes: 10, isKept: false))
    }

    @Test func whatAnInterruptedCallAbortedIsCounted() async throws {
        let (first, record) = try await discard([
            .list: [Self.some], .head: [.nothing], .abort: [.raw("")],
        ])
        guard case .failure(let fault) = first else { Issue.record("\(first)"); return }
        #expect(fault.kind == .unavailable(retryAfter: nil))
        let (second, _) = try await discard([.list: [.noUpload]], state: record.noted)
        #expect(try second.get() == Discarded(bytes: 10, isKept: false))
    }

    @Test func whatIsCompleteIsNotAborted() async throws {
        let (result, record) = try await discard([
            .list: [.list(S3Sample.parts)], .head: [Self.there], .abort: [.done],
        ])
        guard case .failure(let fault) = result else { Issue.record("\(result)"); return }
        #expect(fault.kind == .invalid(reason: "TARGET_EXISTS"))
        #expect(!record.events.contains("abort"))
    }

    /// OpenStack Swift lists a completed upload's parts for as long as its object is there, for the object is them.
    @Test func partsOfAnObjectThatIsOtherThanAnnouncedAreNotAborted() async throws {
        let made = S3Script.Reply.object(bytes: 10, etag: "a31c3e38099ce70d94a3795a19b1cfc1-2")
        let (result, record) = try await discard([.list: [Self.some], .head: [made], .abort: [.done]])
        #expect(try result.get() == Discarded(bytes: 0, isKept: false))
        #expect(record.events == ["list", "head"])
    }

    /// The object was made of some of the parts, or in this very moment: only the store knows, and says so. That is no proof
    /// that the upload is incomplete, without which nothing expires.
    @Test func anUploadThatTheStoreKnowsAsCompletedIsForHumans() async throws {
        let made = S3Script.Reply.object(bytes: 10, etag: "other")
        let completed = S3Script.Reply.error("404 Not Found", "NoSuchKey")
        let (result, record) = try await discard([.list: [Self.some], .head: [made], .abort: [completed]])
        guard case .failure(let fault) = result else { Issue.record("\(result)"); return }
        #expect(fault.kind == .invalid(reason: "TARGET_EXISTS") && fault.problem.contains("completed"))
        #expect(record.events == ["list", "head", "note", "abort"])
    }

    /// Of the right size, and nothing tells what it is: the parts of the one that is there, maybe.
    @Test func whatMayBeCompleteIsNotAbortedEither() async throws {
        for (head, state) in [(Self.there, nil), (.object(bytes: 12, etag: "other"), Self.noted)]
            as [(S3Script.Reply, JSONValue?)]
        {
            let (result, record) = try await discard(
                [.list: [Self.some], .head: [head], .abort: [.done]], state: state)
            guard case .failure(let fault) = result else { Issue.record("\(result)"); return }
            #expect(fault.kind == .invalid(reason: "TARGET_EXISTS"))
            #expect(fault.problem.contains("by hand"))
            #expect(!record.events.contains("abort"))
        }
    }

    @Test func anUploadThatIsGoneNeedsNoAbort() async throws {
        let (result, record) = try await discard([.list: [.noUpload]])
        #expect(try result.get() == Discarded(bytes: 0, isKept: false))
        #expect(record.events == ["list"])
    }

    @Test func withoutALeaseNothingIsAborted() async throws {
        let (result, record) = try await discard(
            [.list: [Self.some], .head: [.nothing], .abort: [.done]], lease: .seconds(20))
        guard case .failure(let fault) = result else { Issue.record("\(result)"); return }
        #expect(fault.kind == .interrupted)
        #expect(!record.events.contains("abort"))
    }

    @Test func partsThatKeepLandingEndWithTheCheck() async throws {
        let (result, record) = try await discard(
            [.list: [Self.some], .head: [.nothing], .abort: [.done]], within: .milliseconds(700))
        guard case .failure(let fault) = result else { Issue.record("\(result)"); return }
        #expect(fault.kind == .interrupted)
        #expect(record.events.count { $0 == "abort" } >= 2)
    }

    @Test func aRefusedAbortIsAFault() async throws {
        let (result, _) = try await discard([
            .list: [Self.some], .head: [.nothing], .abort: [.error("403 Forbidden", "AccessDenied")],
        ])
        guard case .failure(let fault) = result else { Issue.record("\(result)"); return }
        #expect(fault.kind == .misconfigured)
    }

    // MARK: reclaim

    private func reclaim(
        _ replies: Replies, _ upload: Upload = S3Sample.upload(), state: JSONValue? = nil
    ) async throws -> (Result<Int64, StoreFault>, S3Record) {
        try await withFakeS3(replies) { store, record in
            let plan = try #require(upload.plan)
            return (await store.reclaim(upload, plan: plan, work: S3Sample.work(record, state: state)), record)
        }
    }

    @Test func anUploadThatIsOverLeavesNothingToReclaim() async throws {
        let (gone, record) = try await reclaim([.list: [.noUpload]])
        #expect(try gone.get() == 0)
        #expect(record.events == ["list"])
        let (never, silent) = try await reclaim([:], S3Sample.upload(uploadID: nil))
        #expect(try never.get() == 0)
        #expect(silent.events.isEmpty)
        try await withFakeS3([:]) { store, record in
            let upload = S3Sample.upload()
            let plan = try #require(upload.plan)
            #expect(try await store.purge(upload, plan: plan, work: S3Sample.work()).get() == 0)
            #expect(record.events.isEmpty)
        }
    }

    /// The target was there already; or a person said that what is there is right.
    @Test func partsThatWereNotNeededAreAborted() async throws {
        let other = S3Script.Reply.object(bytes: 12, etag: "other")
        let (result, record) = try await reclaim([
            .list: [.list(S3Sample.parts), .noUpload], .head: [other], .abort: [.done],
        ])
        #expect(try result.get() == 12)
        #expect(record.events == ["list", "head", "note", "abort", "list"])
        // Parts that are not whole any more: the note tells what they would have made.
        let (noted, _) = try await reclaim(
            [.list: [Self.some, .noUpload], .head: [other], .abort: [.done]], state: Self.noted)
        #expect(try noted.get() == 10)
        let (again, _) = try await reclaim([.list: [.noUpload]], state: record.noted)
        #expect(try again.get() == 12)
    }

    @Test func partsThatTheObjectMayBeMadeOfAreNotAborted() async throws {
        let cases: [(S3Script.Reply, JSONValue?)] = [
            (.list(S3Sample.parts), nil), (Self.some, Self.noted), (Self.some, nil),
        ]
        for (list, state) in cases {
            let (result, record) = try await reclaim(
                [.list: [list], .head: [Self.there], .abort: [.done]], state: state)
            #expect(try result.get() == 0)
            #expect(record.events == ["list", "head"])
        }
        // Made of one part more than was announced.
        let more = S3Sample.parts + [S3Text.part(4, etag: S3Sample.etags[0], bytes: 5)]
        let (result, seen) = try await reclaim([
            .list: [.list(more)], .head: [.object(bytes: 17, etag: "9a2d078baa8891280f592ceb76ba028d-4")],
            .abort: [.done],
        ])
        #expect(try result.get() == 0)
        #expect(seen.events == ["list", "head"])
        let (lost, record) = try await reclaim([
            .list: [.list(S3Sample.parts)], .head: [.nothing], .abort: [.done],
        ])
        guard case .failure(let fault) = lost else { Issue.record("\(lost)"); return }
        #expect(fault.kind == .invalid(reason: "TARGET_MISSING"))
        #expect(!record.events.contains("abort"))
    }
}
