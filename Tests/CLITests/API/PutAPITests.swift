import JSON
import NIOHTTP1
import Testing

/// Rows that are put again: which are the same.
@Suite struct PutAPITests {
    @Test func aRowThatHasMovedOnIsStillTheOneThatWasPut() async throws {
        try await APIScene.with { api in
            let order = APIScene.order.replacing("{", with: #"{"status":"pending","#)
            #expect(try await api.ask(.PUT, "/v1/orders/x", json: order).status == 201)
            #expect(try await api.ask(.PUT, "/v1/timers/t", json: APIScene.timer).status == 201)
            try await api.run("UPDATE reconciled.orders SET status = 'paid', next_check_at = NULL")
            try await api.run("UPDATE reconciled.timers SET next_check_at = now() + interval '5 minutes'")
            #expect(try await api.ask(.PUT, "/v1/orders/x", json: order).status == 200)
            #expect(try await api.ask(.PUT, "/v1/timers/t", json: APIScene.timer).status == 200)
            // Nobody begins there: whoever sends it wants something else than what stands.
            let closed = try await api.ask(.PUT, "/v1/orders/x", json: order.replacing("pending", with: "closed"))
            #expect(closed.status == 409 && closed.field == "status")
        }
    }

    /// What a row needs, and fields that it may have besides.
    private static let rows: [String: (needed: String, more: String)] = [
        "orders": (
            #"{"gateway":"trial","amount_minor":1,"currency":"EUR"}"#,
            """
            {"gateway_ref":"r","expires_at":"2099-01-01T00:00:00Z","give_up_at":"2099-01-02T00:00:00Z",
             "metadata":{"a":1}}
            """
        ),
        "uploads": (
            #"{"store":"media","name":"NAME","total_bytes":25,"chunk_bytes":10}"#,
            """
            {"chunk_count":2,"expires_at":"2099-01-01T00:00:00Z","s3_upload_id":"u","metadata":{"a":1},
             "sha256":"abababababababababababababababababababababababababababababababab"}
            """
        ),
        "timers": (
            #"{"every":"1h","url":"https://shop.example/tick"}"#,
            """
            {"lane":"slow","method":"PUT","headers":{"a":"b"},"body":"b","catch_up":"all","max_runs":3,"timeout":"3s",
             "ends_at":"2099-01-01T00:00:00Z","expect_status":204,"metadata":{"a":1}}
            """
        ),
    ]

    /// Whoever sends null wants the field to be as when it is left out.
    @Test(arguments: ["orders", "uploads", "timers"])
    func nullIsAnotherValueThanOneThatStands(watch: String) async throws {
        let row = try #require(Self.rows[watch])
        let members = try Self.members(of: row.more)
        let begun = ["next_check_at", "status", watch == "timers" ? "anchor_at" : "created_at"]
        // What a person's decision sets is not compared with null either, nor what goes by a field that is not sent.
        let free = ["orders": "give_up_at", "uploads": "expires_at", "timers": "method"][watch]
        try await APIScene.with { api in
            func put(_ id: String, _ more: [JSONValue.Member]) async throws -> APIScene.Reply {
                let needed = try Self.members(of: row.needed.replacing("NAME", with: id))
                return try await api.ask(.PUT, "/v1/\(watch)/\(id)", json: JSONValue.object(needed + more).text)
            }
            let nulls = (members.map(\.name) + begun).map { JSONValue.Member($0, .null) }
            #expect(try await put("full", members).status == 201)
            #expect(try await put("full", members).status == 200)
            for member in members {
                let reply = try await put("full", [JSONValue.Member(member.name, .null)])
                if member.name == free {
                    #expect(reply.status == 200, "\(reply.body)")
                } else {
                    #expect(reply.status == 409 && reply.field == member.name, "\(member.name): \(reply.body)")
                }
            }
            #expect(try await put("full", begun.map { JSONValue.Member($0, .null) }).status == 200)
            // Where nothing was given, null is the same, sent at first or later.
            #expect(try await put("bare", []).status == 201)
            #expect(try await put("bare", nulls).status == 200)
            #expect(try await put("null", nulls).status == 201)
            #expect(try await put("null", []).status == 200)
            #expect(try await put("null", nulls).status == 200)
        }
    }

    /// GET without a body, POST with one: null for a method says nothing of a row whose body is not sent.
    @Test func aMethodThatIsNullGoesByTheBodyThatIsSent() async throws {
        try await APIScene.with { api in
            func put(_ more: String) async throws -> APIScene.Reply {
                let timer = #"{"every":"1h","url":"https://shop.example/tick",\#(more)}"#
                return try await api.ask(.PUT, "/v1/timers/t", json: timer)
            }
            #expect(try await put(#""body":"b""#).status == 201)
            #expect(try await put(#""method":null"#).status == 200)
            #expect(try await put(#""method":null,"body":"b""#).status == 200)
            #expect(try await put(#""method":"GET""#).field == "method")
            let bare = try await put(#""method":null,"body":null"#)
            #expect(bare.status == 409 && bare.field == "body", "\(bare.body)")
        }
    }

    /// A decision to go on gives a row its time anew, in the column that the client sends as null.
    @Test(arguments: [("orders", "give_up_at", "pending"), ("uploads", "expires_at", "receiving")])
    func aRowThatAPersonDecidedAboutIsStillTheOneThatWasPut(
        watch: String, column: String, status: String
    ) async throws {
        let needed = try Self.members(of: try #require(Self.rows[watch]).needed)
        let row = JSONValue.object(needed + [JSONValue.Member(column, .null)]).text
        try await APIScene.with { api in
            #expect(try await api.ask(.PUT, "/v1/\(watch)/x", json: row).status == 201)
            let decision = #"{"status":"\#(status)","note":"once more"}"#
            let resolved = try await api.ask(.POST, "/v1/\(watch)/x/resolve", json: decision)
            #expect(resolved.status == 200 && resolved.json[column]?.string != nil, "\(resolved.body)")
            let again = try await api.ask(.PUT, "/v1/\(watch)/x", json: row)
            #expect(again.status == 200, "\(again.body)")
            // A value that is sent is compared.
            let other = row.replacing("null", with: #""2099-01-01T00:00:00Z""#)
            #expect(try await api.ask(.PUT, "/v1/\(watch)/x", json: other).field == column)
        }
    }

    /// Clients whose clocks count nanoseconds write them.
    @Test func aTimeIsRoundedToTheMicrosecondAndStaysTheSame() async throws {
        try await APIScene.with { api in
            func put(_ fraction: String) async throws -> APIScene.Reply {
                let order = APIScene.order.replacing("{", with: #"{"expires_at":"2099-01-01T00:00:00\#(fraction)Z","#)
                return try await api.ask(.PUT, "/v1/orders/x", json: order)
            }
            #expect(try await put(".123456789").status == 201)
            #expect(try await put(".123456789").status == 200)
            #expect(try await put(".123457").status == 200)
            #expect(try await put(".1234564").field == "expires_at")
            #expect(try await put(".1234567891").status == 422)
            let timer = APIScene.timer.replacing("{", with: #"{"anchor_at":"2026-01-01T00:00:59.9999999+01:00","#)
            #expect(try await api.ask(.PUT, "/v1/timers/t", json: timer).status == 201)
            #expect(try await api.ask(.PUT, "/v1/timers/t", json: timer).status == 200)
            let stored = try await api.values(
                """
                SELECT (expires_at = '2099-01-01 00:00:00.123457+00')::text FROM reconciled.orders
                UNION ALL SELECT (anchor_at = '2026-01-01 00:01:00+01')::text FROM reconciled.timers
                """)
            #expect(stored == ["true", "true"])
        }
    }

    private static func members(of object: String) throws -> [JSONValue.Member] {
        guard case .object(let members) = try JSONValue(parsing: object) else { throw Missing() }
        return members
    }

    private struct Missing: Error {}
}
