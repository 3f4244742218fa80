import Hummingbird
import JSON
import Postgres
import PostgresStore

/// What is served of one watch's rows; the same for every watch.
struct RowRoutes: Sendable {
    static let limitDefault = 50
    static let limitMax = 1_000
    static let entriesDefault = 100
    static let noteLengthMax = 10_000
    static let rowBytesMax = 1 << 20

    let watch: any ConsoleWatch
    private let queue: AddQueue

    init(_ watch: any ConsoleWatch) {
        self.watch = watch
        queue = AddQueue(desk: watch.desk)
    }

    var routes: [APIRoute] {
        let reading = [list, show, entries("history", "changed or decided"), entries("checks", "asked and answered")]
        let acting = [nudge, resolve]
        return watch.inputSchema == nil ? reading + acting : reading + acting + [put, delete]
    }

    private var path: String { "/v1/\(watch.name)" }
    private var rowPath: String { path + "/{id}" }
    private var id: APIOperation.Parameter {
        .init("id", "The \(watch.noun)'s id, percent-encoded as one segment.", schema: APISchema.id)
    }

    // MARK: reading

    private var list: APIRoute {
        APIRoute(
            operation: APIOperation(
                .get, path, role: .viewer, "List \(watch.name) by id.",
                query: [
                    .init("status", "Only rows in this status.", schema: APISchema.choice(watch.statuses)),
                    .init("due", "true: only rows that are due now.", schema: APISchema.bool),
                    .init(
                        "limit", "Rows a page at most; \(Self.limitDefault) if left out.",
                        schema: APISchema.integer(1...Self.limitMax)),
                    .init("cursor", "next of the page before.", schema: APISchema.cursor),
                ],
                answers: [
                    .init(
                        .ok,
                        "One page. next is null on the last one; one before it may hold fewer rows than asked for.",
                        schema: APISchema.page(watch))
                ])
        ) { request in
            let status = try request.choice("status", of: watch.statuses)
            let limit = try request.integer("limit", in: 1...Self.limitMax, default: Self.limitDefault)
            let after = try request[parameter: "cursor"].map(Cursor.id) ?? ""
            if !after.isEmpty { try watch.validate(after: after, as: "cursor") }
            let isDue = try Self.due(request[parameter: "due"])
            let page = try await request.desk(of: watch).page(
                RowFilter(status: status, isDue: isDue, after: after), limit: limit)
            let next = page.next.map { "\"\(Cursor.text(after: $0))\"" } ?? "null"
            return APIReply.ok("{\"\(watch.name)\":[\(page.rows.joined(separator: ","))],\"next\":\(next)}")
        }
    }

    private static func due(_ text: String?) throws(InputError) -> Bool {
        switch text {
        case "true": true
        case nil, "false": false
        default: throw InputError("due", problem: "is neither", allowed: "true, false")
        }
    }

    private var show: APIRoute {
        APIRoute(
            operation: APIOperation(
                .get, rowPath, role: .viewer, "Show one \(watch.noun).", pathParameters: [id],
                answers: [.init(.ok, "The row by column name.", schema: APISchema.row(watch))])
        ) { request in
            guard let row = try await request.desk(of: watch).show(try request.id(of: watch.noun)) else {
                throw APIRequest.noRow(watch.noun)
            }
            return APIReply.ok(row)
        }
    }

    /// `history` or `checks`; what is left of a row that was removed too.
    private func entries(_ name: String, _ what: String) -> APIRoute {
        APIRoute(
            operation: APIOperation(
                .get, "\(rowPath)/\(name)", role: .viewer,
                "List what was \(what) about one \(watch.noun), oldest first.",
                pathParameters: [id],
                query: [
                    .init(
                        "limit", "The newest so many; \(Self.entriesDefault) if left out.",
                        schema: APISchema.integer(1...Self.limitMax))
                ],
                answers: [.init(.ok, "The entries.", schema: APISchema.entries(name))])
        ) { request in
            let desk = request.desk(of: watch)
            let id = try request.id(of: watch.noun)
            let limit = try request.integer("limit", in: 1...Self.limitMax, default: Self.entriesDefault)
            let entries =
                name == "history"
                ? try await desk.history(id, limit: limit) : try await desk.checks(id, limit: limit)
            if entries.isEmpty, try await desk.show(id) == nil { throw APIRequest.noRow(watch.noun) }
            return APIReply.ok("{\"\(name)\":[\(entries.joined(separator: ","))]}")
        }
    }

    // MARK: acting

    private var nudge: APIRoute {
        APIRoute(
            operation: APIOperation(
                .post, rowPath + "/nudge", role: .operator, "Make one \(watch.noun) due now; recorded.",
                pathParameters: [id],
                answers: [.init(.ok, "It is due.", schema: APISchema.outcome(["nudged"]))])
        ) { request in
            let id = try request.id(of: watch.noun)
            guard try await !request.desk(of: watch).nudge([id]).isEmpty else {
                throw APIRequest.noRow(watch.noun)
            }
            return APIReply.outcome("nudged", id: id)
        }
    }

    private var resolve: APIRoute {
        APIRoute(
            operation: APIOperation(
                .post, rowPath + "/resolve", role: .operator, "Decide about one \(watch.noun) by hand; recorded.",
                pathParameters: [id], body: .init(schema: APISchema.decision(watch, noteLengthMax: Self.noteLengthMax)),
                answers: [.init(.ok, "The row as it is now.", schema: APISchema.row(watch))], problems: [.conflict])
        ) { request in
            let id = try request.id(of: watch.noun)
            let decision = try decision(try await request.object())
            guard let row = try await request.desk(of: watch).resolve(id, decision) else {
                throw APIRequest.noRow(watch.noun)
            }
            return APIReply.ok(row)
        }
    }

    private func decision(_ object: JSONValue) throws(InputError) -> Decision {
        let fields = ["status", "note", "seen_status", "seen_reason"] + (watch.takesTransaction ? ["txn"] : [])
        let reader = try FieldReader(object, what: "decision", fields: fields)
        let status = try reader.requiredString("status")
        guard watch.decisions.contains(status) else {
            throw InputError(
                "status", problem: "cannot be decided for", allowed: watch.decisions.joined(separator: ", "))
        }
        let note = try reader.requiredString("note")
        try Self.checkReason("note", note, lengthMax: Self.noteLengthMax)
        let (seen, reason) = (try Self.seen("seen_status", reader), try Self.seen("seen_reason", reader))
        guard seen != nil || reason == nil else {
            throw InputError("seen_reason", problem: "stands alone", allowed: "with seen_status, or none")
        }
        let decision = Decision(
            status: status, note: note, transaction: try reader.string("txn"),
            seen: seen.map { SeenState(status: $0, reviewReason: reason) })
        try watch.validate(decision)
        return decision
    }

    /// What a row said when a person looked at it.
    private static func seen(_ field: String, _ reader: FieldReader) throws(InputError) -> String? {
        guard let text = try reader.string(field) else { return nil }
        guard text.unicodeScalars.count <= FieldRules.textLengthMax, !text.utf8.contains(0) else {
            throw InputError(
                field, problem: "is no row's", allowed: "at most \(FieldRules.textLengthMax) characters without NUL")
        }
        return text
    }

    /// Why a person does something, in words.
    static func checkReason(_ field: String, _ text: String, lengthMax: Int) throws(InputError) {
        let allowed = "words, in at most \(lengthMax) characters without NUL"
        guard !text.allSatisfy(\.isWhitespace) else {
            throw InputError(field, problem: "does not say why", allowed: allowed)
        }
        guard text.unicodeScalars.count <= lengthMax, !text.utf8.contains(0) else {
            throw InputError(field, problem: "cannot be stored", allowed: allowed)
        }
    }

    // MARK: adding and removing

    private var put: APIRoute {
        APIRoute(
            operation: APIOperation(
                .put, rowPath, role: .admin,
                """
                Add one \(watch.noun). One that is there is compared with the fields sent, null being what a field is when \
                left out, and never changed. next_check_at, the status that a row begins with, and a null for what a \
                decision sets anew (give_up_at of an order, expires_at of an upload) are not compared.
                """,
                pathParameters: [id], body: .init(schema: APISchema.input(watch), bytesMax: Self.rowBytesMax),
                answers: [
                    .init(.created, "It is new.", schema: APISchema.outcome(["added"])),
                    .init(
                        .ok, "It was there, and each field sent is as it stands.", schema: APISchema.outcome(["exists"])
                    ),
                ], problems: [.conflict])
        ) { request in
            let id = try request.segment("id")
            let object = try Self.naming(id, in: try await request.object())
            _ = try watch.validate(object)
            return try await add(id, object, by: request.actor)
        }
    }

    /// The object with the path's id, which rules.
    private static func naming(_ id: String, in object: JSONValue) throws(InputError) -> JSONValue {
        guard case .object(var members) = object else { return object }
        if let sent = object["id"], !sent.isNull {
            // By bytes: to PostgreSQL two spellings of one character are two ids.
            guard let text = sent.string, text.utf8.elementsEqual(id.utf8) else {
                throw InputError("id", problem: "is not the path's", allowed: "the path's id, or none")
            }
        } else {
            members.removeAll { $0.name == "id" }
            members.append(.init("id", .string(id)))
        }
        return .object(members)
    }

    private func add(_ id: String, _ object: JSONValue, by actor: String) async throws -> Response {
        do {
            let row = try await queue.add(.init(id: id, object: object.asRow.text, actor: actor))
            switch row.outcome {
            case .added: return APIReply.outcome("added", id: id, status: .created)
            case .exists: return APIReply.outcome("exists", id: id)
            case .differs:
                throw Problem(
                    .conflict,
                    "the \(watch.noun) is there already with another \(row.differing.joined(separator: ", "))",
                    field: row.differing.first, allowed: "what stands there, or none")
            }
        } catch let error as PostgresError where error.sqlState == "23505" {
            throw ConflictError(watch.addConflict)
        }
    }

    private var delete: APIRoute {
        APIRoute(
            operation: APIOperation(
                .delete, rowPath, role: .admin, "Remove one \(watch.noun); its history stays.", pathParameters: [id],
                answers: [.init(.ok, "It is gone.", schema: APISchema.outcome(["removed"]))])
        ) { request in
            let id = try request.id(of: watch.noun)
            guard try await request.desk(of: watch).remove(id) else { throw APIRequest.noRow(watch.noun) }
            return APIReply.outcome("removed", id: id)
        }
    }
}
