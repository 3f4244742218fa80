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
}
