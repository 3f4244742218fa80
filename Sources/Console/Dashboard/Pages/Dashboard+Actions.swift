import Foundation
import Hummingbird
import PostgresStore
import Timeline

extension Dashboard {
    private static let formBytesMax = 64 << 10

    /// The fields of a form whose secret is the session's.
    ///
    /// `BrowserGuard` has refused other sites' pages already; the secret holds where a browser says nothing of its origin.
    private func form(_ request: Request, _ context: ConsoleContext) async throws -> [String: String] {
        let fields = try await Self.fields(request, context)
        let presented = Array((fields["csrf"] ?? "").utf8)
        let expected = Array(context.formSecret.utf8)
        var difference = presented.count ^ expected.count
        for (a, b) in zip(presented, expected) { difference |= Int(a ^ b) }
        guard difference == 0, !expected.isEmpty else {
            throw Problem(.forbidden, "this page is too old; go back, reload it and try again")
        }
        return fields
    }

    private static func fields(_ request: Request, _ context: ConsoleContext) async throws -> [String: String] {
        let type = request.headers[.contentType] ?? ""
        guard type.lowercased().hasPrefix("application/x-www-form-urlencoded") else {
            throw Problem(.unsupportedMediaType, "this takes forms only")
        }
        var request = request
        let body = try await request.collectBody(upTo: formBytesMax)
        do {
            return try URLEncodedFormDecoder().decode([String: String].self, from: String(buffer: body))
        } catch {
            throw Problem(.badRequest, "the form cannot be read")
        }
    }

    /// Where a form says that it stood: the row's page, or the queue.
    private static func back(_ fields: [String: String], _ row: String, _ flash: Flash) -> Response {
        let page = fields["back"] == "review" ? "/review" : row
        return .redirect(to: "\(page)?done=\(flash.rawValue)", type: .normal)
    }

    func nudge(_ watch: any ConsoleWatch, _ request: Request, _ context: ConsoleContext) async throws -> Response {
        let id = try Self.segment("id", context)
        let fields = try await form(request, context)
        guard try await !CallerDesk(watch, context.caller).nudge([id]).isEmpty else {
            throw Problem(.notFound, "there is no such \(watch.noun)")
        }
        return Self.back(fields, Self.path(watch.name, id), .nudged)
    }

    /// What is refused comes back as the row's page as it is now, with what was typed.
    func resolve(_ watch: any ConsoleWatch, _ request: Request, _ context: ConsoleContext) async throws -> Response {
        let id = try Self.segment("id", context)
        let fields = try await form(request, context)
        do {
            try await decide(watch, id, fields, context)
        } catch {
            guard let refusal = Refusal(error), refusal.status != .notFound else { throw error }
            return try await rowPage(watch, id, draft: Draft(refusal: refusal, fields: fields), request, context)
        }
        return Self.back(fields, Self.path(watch.name, id), .resolved)
    }

    private func decide(
        _ watch: any ConsoleWatch, _ id: String, _ fields: [String: String], _ context: ConsoleContext
    ) async throws {
        let note = (fields["note"] ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard !note.isEmpty, note.utf8.count <= 10_000, !note.utf8.contains(0) else {
            throw Problem(.unprocessableContent, "say why, in at most 10,000 bytes")
        }
        guard let status = fields["status"], watch.decisions.contains(status) else {
            throw Problem(
                .unprocessableContent, "there is no such decision", allowed: watch.decisions.joined(separator: ", "))
        }
        // A decision is about what the page showed: a poller, the application or a colleague may have changed it since.
        guard let seenStatus = fields["seen_status"], !seenStatus.isEmpty, Self.isName(seenStatus),
            Self.isName(fields["seen_reason"] ?? "")
        else { throw Problem(.conflict, "this page was too old to decide by; it is as of now") }
        func field(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }
        let decision = Decision(
            status: status, note: note, transaction: field("txn"),
            seen: SeenState(status: seenStatus, reviewReason: field("seen_reason")))
        try watch.validate(decision)
        guard try await CallerDesk(watch, context.caller).resolve(id, decision) != nil else {
            throw Problem(.notFound, "there is no such \(watch.noun)")
        }
    }

    func pause(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let lane = try Self.segment("lane", context)
        let fields = try await form(request, context)
        let why = (fields["why"] ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard !why.isEmpty, why.utf8.count <= 1_000, !why.utf8.contains(0) else {
            throw Problem(.unprocessableContent, "say why, in at most 1,000 bytes")
        }
        guard try await isKnown(lane) else { throw Problem(.notFound, "there is no such lane") }
        try await registry.pause(lane: lane, by: context.caller.name, reason: why)
        return .redirect(to: "/?done=\(Flash.paused.rawValue)", type: .normal)
    }

    func resume(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let lane = try Self.segment("lane", context)
        _ = try await form(request, context)
        guard try await isKnown(lane) else { throw Problem(.notFound, "there is no such lane") }
        _ = try await registry.resume(lane: lane, by: context.caller.name)
        return .redirect(to: "/?done=\(Flash.resumed.rawValue)", type: .normal)
    }

    private func isKnown(_ lane: String) async throws -> Bool {
        if watches.contains(where: { $0.laneNames.contains(lane) }) { return true }
        return try await registry.lanes().contains { $0.name == lane }
    }

    // MARK: signing in

    func signInPage(_ request: Request, problem: String? = nil, back: String? = nil) -> Response {
        let back = back ?? request.uri.queryParameters.get("back") ?? "/"
        let model: Model = ["back": back].with("problem", problem)
        return Response(
            status: problem == nil ? .ok : .forbidden, headers: [.contentType: "text/html; charset=utf-8"],
            body: .init(byteBuffer: .init(string: templates.render("sign_in", model))))
    }

    func signIn(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let fields = try await Self.fields(request, context)
        let back = fields["back"] ?? "/"
        guard let token = session.token(presented: fields["token"] ?? "") else {
            return signInPage(request, problem: "That is no token of this service.", back: back)
        }
        var response = Response.redirect(to: Self.isOurs(back) ? back : "/", type: .normal)
        response.setCookie(
            session.cookie(
                for: token, now: Timestamp.wallClock.microseconds / 1_000_000, isSecure: Self.isSecure(request)))
        return response
    }

    /// Whether an address leads to a page of ours, and not to another host.
    ///
    /// Browsers take `\` for `/` and leave tabs and line breaks out (URL standard, "URL parsing"): only what an address is
    /// made of passes.
    static func isOurs(_ back: String) -> Bool {
        back.utf8.allSatisfy { (0x21...0x7E).contains($0) } && back.hasPrefix("/") && !back.hasPrefix("//")
            && !back.contains("\\") && !back.hasPrefix("/sign")
    }

    func signOut(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        _ = try await form(request, context)
        var response = Response.redirect(to: "/sign-in", type: .normal)
        response.setCookie(DashboardSession.ended(isSecure: Self.isSecure(request)))
        return response
    }

    /// Whether a proxy says that the browser speaks https to it.
    private static func isSecure(_ request: Request) -> Bool {
        request.headers[.init("X-Forwarded-Proto")!]?.lowercased() == "https"
    }
}
