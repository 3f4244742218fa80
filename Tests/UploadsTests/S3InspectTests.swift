import Testing
import Timeline

@testable import Uploads

/// What a store makes of the parts that S3 lists, honest or not.
@Suite struct S3InspectTests {
    private func inspect(
        _ replies: [S3Script.Kind: [S3Script.Reply]], _ upload: Upload = S3Sample.upload(),
        timeout: Duration = .seconds(20)
    ) async throws -> (Result<Inventory, StoreFault>, S3Record) {
        try await withFakeS3(replies, timeout: timeout) { store, record in
            let plan = try #require(upload.plan)
            return (await store.inspect(upload, plan: plan, work: S3Sample.work(record)), record)
        }
    }

    private func fault(_ result: Result<Inventory, StoreFault>) -> StoreFault? {
        if case .failure(let fault) = result { fault } else { nil }
    }

    @Test func wholePartsAreCounted() async throws {
        let (result, record) = try await inspect([.list: [.list(S3Sample.parts)]])
        let inventory = try result.get()
        #expect(inventory.received == 3)
        #expect(inventory.receivedBytes == 12)
        #expect(inventory.missing.isEmpty)
        #expect(inventory.oddities.isEmpty)
        #expect(inventory.lastActivityAt == Timestamp("2026-11-23T09:59:00Z"))
        #expect(inventory.quietFor == .seconds(60))
        #expect(record.events == ["list"])
        #expect(record.requests[0].hasPrefix("GET /media/film.mp4?max-parts=1000&uploadId=U1 HTTP/1.1\r\n"))
    }

    @Test func sparseShortOversizeAndExtraPartsAreNamed() async throws {
        let (result, _) = try await inspect([
            .list: [
                .list([
                    S3Text.part(1, etag: "a", bytes: 4), S3Text.part(3, etag: "c", bytes: 3),
                    S3Text.part(9, etag: "d", bytes: 7),
                ])
            ]
        ])
        let inventory = try result.get()
        #expect(inventory.received == 0)
        #expect(inventory.missing.description == "1-3")
        #expect(
            inventory.oddities == [
                .init(number: 1, kind: .short, bytes: 4), .init(number: 3, kind: .oversize, bytes: 3),
                .init(number: 9, kind: .extra, bytes: 7),
            ])
    }

    @Test func aFingerprintTellsEveryChangeApart() async throws {
        var seen: Set<String> = []
        let listings: [[String]] = [
            [], Array(S3Sample.parts.dropLast()), S3Sample.parts,
            [S3Text.part(1, etag: "x", bytes: 5)] + S3Sample.parts.dropFirst(),
            [S3Text.part(1, etag: S3Sample.etags[0], bytes: 6)] + S3Sample.parts.dropFirst(),
        ]
        for parts in listings { seen.insert(try (try await inspect([.list: [.list(parts)]])).0.get().fingerprint) }
        #expect(seen.count == listings.count)
        let shuffled = try await inspect([.list: [.list(S3Sample.parts.reversed())]])
        #expect(seen.contains(try shuffled.0.get().fingerprint))
    }

    @Test func withoutTheStoresClockNothingIsQuiet() async throws {
        let noDate = S3Script.Reply.answer("200 OK", body: S3Text.list(S3Sample.parts))
        #expect(try (try await inspect([.list: [noDate]])).0.get().quietFor == .zero)
        let ahead = S3Text.part(1, etag: "a", bytes: 5, at: "2026-11-23T11:00:00Z")
        #expect(try (try await inspect([.list: [.list([ahead])]])).0.get().quietFor == .zero)
        let timeless = S3Text.part(2, etag: "a", bytes: 5, at: "yesterday")
        #expect(try (try await inspect([.list: [.list([S3Sample.parts[0], timeless])]])).0.get().quietFor == .zero)
    }

    @Test func tenThousandPartsComeInPages() async throws {
        var upload = S3Sample.upload()
        (upload.totalBytes, upload.chunkCount) = (50_000, 10_000)
        let page = S3Script.Reply.page { marker in
            // Backwards within the page, and overlapping the page before.
            let parts = (max(marker - 1, 1)...min(marker + 1_000, 10_000)).reversed().map {
                S3Text.part($0, etag: "e\($0)", bytes: 5)
            }
            return S3Text.list(parts, next: marker < 9_000 ? marker + 1_000 : nil)
        }
        let (result, record) = try await inspect([.list: [page]], upload)
        let inventory = try result.get()
        #expect(inventory.received == 10_000)
        #expect(inventory.missing.isEmpty)
        #expect(record.events.count == 10)
    }

    @Test func twoPartsOfOneNumberAreNone() async throws {
        let other = S3Text.part(2, etag: "other", bytes: 5)
        let (result, _) = try await inspect([.list: [.list(S3Sample.parts + [other])]])
        #expect(try result.get().missing.description == "2")
        #expect(try result.get().oddities == [.init(number: 2, kind: .duplicate, bytes: 5)])
        let (same, _) = try await inspect([.list: [.list(S3Sample.parts + S3Sample.parts)]])
        #expect(try same.get().missing.isEmpty)
    }

    @Test func listingsThatLeadNowhereAreRefused() async throws {
        let stuck = S3Script.Reply.page { marker in S3Text.list(S3Sample.parts, next: marker) }
        let back = S3Script.Reply.page { marker in S3Text.list([], next: marker == 5 ? 3 : 5) }
        let beyond = S3Script.Reply.list([], next: 10_001)
        let unmarked = S3Script.Reply.answer(
            "200 OK", body: "<ListPartsResult><UploadId>U1</UploadId><IsTruncated>true</IsTruncated></ListPartsResult>")
        let vague = S3Script.Reply.answer(
            "200 OK", body: "<ListPartsResult><UploadId>U1</UploadId><IsTruncated>maybe</IsTruncated></ListPartsResult>"
        )
        for reply in [stuck, back, beyond, unmarked, vague] {
            let (result, record) = try await inspect([.list: [reply]])
            #expect(fault(result)?.kind == .unreadable)
            #expect(record.events.count <= 2)
        }
    }

    @Test func aListingWithoutEndIsRefused() async throws {
        let (result, record) = try await inspect([.list: [.page { S3Text.list([], next: $0 + 1) }]])
        #expect(fault(result)?.kind == .unreadable)
        #expect(record.events.count == S3Listing.pagesMax)
    }

    @Test func listingsThatCannotBeReadAreRefused() async throws {
        let bodies = [
            "", "<html></html>", String(S3Text.list(S3Sample.parts).dropLast()), "{}",
            S3Text.list(S3Sample.parts, uploadID: "U2"), S3Text.list([S3Text.part(0, etag: "a", bytes: 5)]),
            S3Text.list([S3Text.part(10_001, etag: "a", bytes: 5)]),
            S3Text.list([S3Text.part(1, etag: "a", bytes: -5)]),
            S3Text.list([S3Text.part(1, etag: "", bytes: 5)]), S3Text.list(["<Part><PartNumber>1</PartNumber></Part>"]),
            "<!DOCTYPE l [<!ENTITY a 'aaaa'>]>" + S3Text.list([]), S3Text.list(["<a>&lol;</a>"]),
            S3Text.list([String(repeating: "<a>", count: 30) + String(repeating: "</a>", count: 30)]),
        ]
        for body in bodies {
            let (result, _) = try await inspect([.list: [.answer("200 OK", body: body)]])
            #expect(fault(result)?.kind == .unreadable, "\(body)")
        }
    }

    @Test func aHugeListingIsNotRead() async throws {
        let body = String(repeating: " ", count: 5 << 20)
        let (result, _) = try await inspect([.list: [.answer("200 OK", body: body)]])
        #expect(fault(result)?.kind == .unreadable)
        #expect(fault(result)?.problem == "The store's answer is larger than 4 MiB.")
    }

    @Test func aSessionThatIsGoneShowsWhatStandsThere() async throws {
        let (gone, record) = try await inspect([.list: [.noUpload], .head: [.nothing]])
        #expect(try gone.get().isSessionGone)
        #expect(try gone.get().targetBytes == nil)
        #expect(try gone.get().missing.description == "1-3")
        #expect(record.events == ["list", "head"])
        let (there, _) = try await inspect([.list: [.noUpload], .head: [.object(bytes: 12, etag: "e")]])
        #expect(try there.get().targetBytes == 12)
        #expect(try there.get().fingerprint != gone.get().fingerprint)
    }

    @Test func whatTheRowCannotBeServedWithIsForHumans() async throws {
        func reason(_ upload: Upload) async throws -> StoreFault.Kind? {
            let (result, record) = try await inspect([.list: [.list([])]], upload)
            #expect(record.events.isEmpty)
            return fault(result)?.kind
        }
        #expect(try await reason(S3Sample.upload(uploadID: nil)) == .invalid(reason: "NO_UPLOAD_ID"))
        #expect(try await reason(S3Sample.upload(uploadID: "")) == .invalid(reason: "NO_UPLOAD_ID"))
        #expect(try await reason(S3Sample.upload(name: "../other/film.mp4")) == .invalid(reason: "INVALID_NAME"))
        var many = S3Sample.upload()
        (many.totalBytes, many.chunkCount) = (50_005, 10_001)
        #expect(try await reason(many) == .invalid(reason: "INVALID_SESSION"))
    }

    @Test(arguments: [
        ("503 Slow Down", "SlowDown", StoreFault.Kind.unavailable(retryAfter: .seconds(7))),
        ("429 Too Many", "", .unavailable(retryAfter: .seconds(7))),
        ("500 Oops", "InternalError", .unavailable(retryAfter: .seconds(7))),
        ("400 Bad Request", "RequestTimeout", .unavailable(retryAfter: .seconds(7))),
        ("403 Forbidden", "SignatureDoesNotMatch", .misconfigured),
        ("403 Forbidden", "InvalidAccessKeyId", .misconfigured), ("403 Forbidden", "AccessDenied", .misconfigured),
        ("403 Forbidden", "RequestTimeTooSkewed", .misconfigured), ("401 Who", "", .misconfigured),
        ("404 Not Found", "NoSuchBucket", .misconfigured), ("301 Moved", "PermanentRedirect", .misconfigured),
        ("307 Elsewhere", "", .misconfigured), ("400 Bad", "AuthorizationHeaderMalformed", .misconfigured),
        ("501 No", "NotImplemented", .misconfigured), ("404 Not Found", "", .unreadable),
        ("400 Bad Request", "InvalidArgument", .unreadable), ("204 Nothing", "", .unreadable),
        ("400 Bad Request", "KeyTooLongError", .invalid(reason: "INVALID_NAME")),
    ])
    func refusalsAreClassifiedAndTellNoSecret(status: String, code: String, kind: StoreFault.Kind) async throws {
        let (result, _) = try await inspect([.list: [.error(status, code, headers: "retry-after: 7\r\n")]])
        #expect(fault(result)?.kind == kind)
        let problem = fault(result)?.problem ?? ""
        #expect(!problem.isEmpty && !problem.contains("very-secret") && !problem.contains("AKIDEXAMPLE"))
        #expect(code.isEmpty || problem.contains(code))
    }

    @Test func silenceAndCutsAreUnavailable() async throws {
        let cut = S3Script.Reply.raw("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n<ListPartsResult>")
        for reply in [S3Script.Reply.stall, cut, .raw("")] {
            let (result, _) = try await inspect([.list: [reply]], timeout: .milliseconds(300))
            #expect(fault(result)?.kind == .unavailable(retryAfter: nil))
        }
    }
}
