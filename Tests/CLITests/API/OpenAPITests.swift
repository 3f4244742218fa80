import JSON
import Payments
import Testing
import Timers
import Uploads

@testable import Console

/// The document and the routes tell one story.
@Suite struct OpenAPITests {
    @Test func theDocumentHasEveryRouteAndNoOther() async throws {
        try await APIScene.with { api in
            guard case .object(let paths) = api.document["paths"] else { throw Missing() }
            var documented: Set<String> = []
            for path in paths {
                guard case .object(let operations) = path.value else { throw Missing() }
                for operation in operations { documented.insert("\(operation.name.uppercased()) \(path.name)") }
            }
            // Pages for people are not in it.
            let routes = api.router.filter { route in
                ["/v1/", "/metrics", "/healthz", "/readyz", "/openapi.json"].contains { route.contains(" \($0)") }
            }
            #expect(Set(routes) == documented)
            #expect(routes.count > 30)
            #expect(api.document["openapi"]?.string == "3.1.0")
            #expect(api.document["info"]?["version"]?.string == "1.2.3")
        }
    }

    @Test func eachReferenceLeadsSomewhereAndEachOperationHasItsOwnID() async throws {
        try await APIScene.with { api in
            guard case .object(let schemas) = api.document["components"]?["schemas"] else { throw Missing() }
            let names = Set(schemas.map(\.name))
            let text = api.document.text
            let references = text.matches(of: /"#\/components\/schemas\/([^"]+)"/).map { String($0.1) }
            #expect(references.count > 50 && Set(references).isSubset(of: names))
            let ids = text.matches(of: /"operationId":"([^"]+)"/).map { String($0.1) }
            #expect(Set(ids).count == ids.count)
        }
    }

    @Test(arguments: [
        (OrderInput.schema, OrderInput.fields), (UploadInput.schema, UploadInput.fields),
        (TimerInput.schema, TimerInput.fields),
    ])
    func aSchemaHasTheFieldsThatAreRead(schema: String, fields: [String]) throws {
        let value = try JSONValue(parsing: schema)
        guard case .object(let properties) = value["properties"] else { throw Missing() }
        #expect(Set(properties.map(\.name)) == Set(fields))
        // Its examples are allowed.
        guard case .array(let examples) = value["examples"], !examples.isEmpty else { throw Missing() }
        for case .object(let members) in examples {
            let row = JSONValue.object(members + [.init("id", .string("x"))])
            if fields == OrderInput.fields { _ = try OrderInput(json: row) }
            if fields == UploadInput.fields { _ = try UploadInput(json: row) }
            if fields == TimerInput.fields { _ = try TimerInput(json: row) }
        }
    }

    /// The stream takes its parameters as the other paths do.
    @Test(arguments: [
        ("?watch=planets", nil, "watch"), ("?after=x", nil, "after"), ("?after=-1", nil, "after"),
        ("?after=%2B1", nil, "after"), ("?nonsense=1", nil, "nonsense"), ("?watch=orders&watch=uploads", nil, "watch"),
        ("?after=%FF", nil, "after"), ("?after=1", "x", "Last-Event-ID"),
    ])
    func whatTheStreamDoesNotTakeIsNamed(query: String, lastID: String?, field: String) async throws {
        try await APIScene.with { api in
            let headers = lastID.map { [("last-event-id", $0)] } ?? []
            let reply = try await api.ask(.GET, "/v1/events" + query, as: "viewer", headers: headers)
            #expect(reply.status == 422 && reply.field == field, "\(reply)")
            #expect(reply.type == "application/problem+json")
            let operation = api.document["paths"]?["/v1/events"]?["get"]
            #expect(operation?["responses"]?["422"] != nil)
        }
    }

    private struct Missing: Error {}
}
