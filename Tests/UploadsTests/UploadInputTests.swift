import JSON
import Testing
import Timeline

@testable import Uploads

@Suite struct UploadInputTests {
    private func read(_ json: String) throws -> UploadInput { try UploadInput(json: JSONValue(parsing: json)) }

    private func error(_ json: String) -> InputError? {
        do {
            _ = try read(json)
            return nil
        } catch let error as InputError {
            return error
        } catch {
            return InputError("not JSON", problem: "", allowed: "")
        }
    }

    private let head = #""id":"U-1","store":"local","name":"a/b.bin","total_bytes":12,"chunk_bytes":5"#

    @Test func aWholeSessionIsRead() throws {
        let digest = String(repeating: "AbC0", count: 16)
        let upload = try read(
            """
            {\(head),"chunk_count":2,"sha256":"\(digest)","status":"receiving","expires_at":"2026-11-23T14:00:00Z",
             "s3_upload_id":"2~x/+=","next_check_at":null,"metadata":{"a":[1.50]}}
            """)
        #expect(upload.chunkCount == 2)
        #expect(upload.sha256 == String(repeating: "abc0", count: 16))
        #expect(upload.s3UploadID == "2~x/+=")
        #expect(upload.firstCheck == .never)
        #expect(upload.expiresAt == Timestamp("2026-11-23T14:00:00Z")!)
        #expect(upload.metadata == #"{"a":[1.50]}"#)
    }

    @Test(
        arguments: [
            (0, 5, 0), (1, 5, 1), (5, 5, 1), (6, 5, 2), (12, 5, 3), (5_000_000, 5, 1_000_000),
            (.max, 1 << 62, 2),
        ] as [(Int64, Int64, Int)])
    func theCountIsComputed(total: Int64, chunk: Int64, count: Int) throws {
        let upload = try UploadInput(id: "U", store: "s", name: "n", totalBytes: total, chunkBytes: chunk)
        #expect(upload.chunkCount == count)
    }

    @Test func whatDoesNotFitIsRefused() {
        for (json, field) in [
            (#""total_bytes":10,"chunk_bytes":5,"chunk_count":4"#, "chunk_count"),
            (#""total_bytes":10,"chunk_bytes":5,"chunk_count":1"#, "chunk_count"),
            (#""total_bytes":10,"chunk_bytes":5,"chunk_count":0"#, "chunk_count"),
            (#""total_bytes":0,"chunk_bytes":5,"chunk_count":2"#, "chunk_count"),
            (#""total_bytes":10,"chunk_bytes":5,"chunk_count":1000001"#, "chunk_count"),
            (#""total_bytes":10,"chunk_bytes":5,"chunk_count":-1"#, "chunk_count"),
            (#""total_bytes":9223372036854775807,"chunk_bytes":1"#, "chunk_bytes"),
            (#""total_bytes":10,"chunk_bytes":0"#, "chunk_bytes"),
            (#""total_bytes":-1,"chunk_bytes":5"#, "total_bytes"),
            (#""total_bytes":9223372036854775808,"chunk_bytes":5"#, "total_bytes"),
            (#""total_bytes":"10","chunk_bytes":5"#, "total_bytes"),
            (#""chunk_bytes":5"#, "total_bytes"), (#""total_bytes":5"#, "chunk_bytes"),
        ] {
            let error = error(#"{"id":"U","store":"s","name":"n",\#(json)}"#)
            #expect(error?.field == field, "\(json)")
            #expect(error?.allowed.isEmpty == false && error?.problem.isEmpty == false)
        }
        let short = error(#"{"id":"U","store":"s","name":"n","total_bytes":12,"chunk_bytes":5,"chunk_count":9}"#)
        #expect(short?.allowed == "3, or 2 where the last chunk takes the rest")
    }

    @Test(arguments: [
        "", "/etc/passwd", "../x", "a/../b", "a/..", "./a", "a/.", "a//b", "a/", "a\\u0000b", "a\\nb", "a\\u007f",
        "a\\u0085b", ".reconciled", "a/.reconciled-trash/b", String(repeating: "x", count: 256),
        "a/" + String(repeating: "ü", count: 128), String(repeating: "a/", count: 600) + "a",
        String(repeating: "x", count: 2_000_000),
        // A combining mark on the slash makes no other path of it.
        "a/\\u0301/../b", "..\\u002f",
    ])
    func namesThatLeadElsewhereAreRefused(name: String) {
        let json = #"{"id":"U","store":"s","name":"\#(name)","total_bytes":1,"chunk_bytes":1}"#
        #expect(error(json)?.field == "name")
    }

    @Test(arguments: [
        "a", "a b.bin", "ü/ñ/文件.mp4", "...", "..a/b..", ".hidden", "a\\\\b", String(repeating: "x", count: 255),
        "reconciled/.recon",
    ])
    func ordinaryNamesPass(name: String) {
        #expect(error(#"{"id":"U","store":"s","name":"\#(name)","total_bytes":1,"chunk_bytes":1}"#) == nil)
    }

    @Test func everyFieldIsNamed() {
        #expect(error("[]")?.field == "upload")
        let tail = #""total_bytes":1,"chunk_bytes":1"#
        #expect(error(#"{"store":"s","name":"n",\#(tail)}"#)?.field == "id")
        #expect(error(#"{"id":"U","name":"n",\#(tail)}"#)?.field == "store")
        #expect(error(#"{"id":"U","store":"s",\#(tail)}"#)?.field == "name")
        #expect(error(#"{"id":"U","store":"a b","name":"n",\#(tail)}"#)?.field == "store")
        for status in ["merging", "complete", "expired", "review", "RECEIVING", ""] {
            #expect(error("{\(head),\"status\":\"\(status)\"}")?.field == "status")
        }
        for digest in ["", "abc", String(repeating: "g", count: 64), String(repeating: "a", count: 65)] {
            #expect(error("{\(head),\"sha256\":\"\(digest)\"}")?.field == "sha256")
        }
        for id in ["", "a b", "ü", String(repeating: "x", count: 1_025)] {
            #expect(error("{\(head),\"s3_upload_id\":\"\(id)\"}")?.field == "s3_upload_id")
        }
        #expect(error("{\(head),\"expires_at\":\"tomorrow\"}")?.field == "expires_at")
        #expect(error("{\(head),\"created_at\":5}")?.field == "created_at")
        #expect(error("{\(head),\"metadata\":[]}")?.field == "metadata")
        #expect(error("{\(head),\"location\":\"x\"}")?.field == "location")
        #expect(error("{\(head)}") == nil)
    }
}
