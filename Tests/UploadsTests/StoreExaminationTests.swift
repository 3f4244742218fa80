import Foundation
import Outgoing
import Testing
import Timeline

@testable import Uploads

@Suite struct StoreExaminationTests {
    private func details(_ chunks: URL, _ target: URL) async throws -> [String] {
        let store = StoreConfiguration(
            name: "local", kind: .directory(.init(chunks: chunks.path, target: target.path, minFreeBytes: 0)))
        let http = OutgoingClient()
        let findings = await store.examine(http: http, at: Timestamp(microseconds: 0))
        try await http.shutdown()
        #expect(findings.allSatisfy { $0.kind == "store_unusable" })
        return findings.map(\.detail)
    }

    /// A link shows nothing of it in the configuration: every published file would become a chunk.
    @Test func rootsThatLinksLeadIntoEachOtherAreFound() async throws {
        let scene = try DirectoryScene()
        let (chunks, files) = (scene.base.appending(path: "chunks"), scene.base.appending(path: "files"))
        let inner = chunks.appending(path: "a/b")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        let link = scene.base.appending(path: "link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: inner)
        #expect(try await details(chunks, files) == [])
        let below = try #require(try await details(chunks, link).first)
        #expect(below.hasPrefix("target \(link.path) lies in chunks \(chunks.path)"))
        let above = try #require(try await details(link, chunks).first)
        #expect(above.hasPrefix("chunks \(link.path) lies in target \(chunks.path)"))
        #expect(try await details(link, inner).count == 1)
    }
}
