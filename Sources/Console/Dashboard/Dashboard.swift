import Foundation
import Hummingbird
import Postgres
import PostgresStore
import Timeline

/// The pages at `/`: what is late, which lane is ill, what needs a human; and the actions on them.
///
/// Rendered here whole: a page works without a script, which only reads it again every few seconds. Actions are forms, which
/// carry a secret of the session, and answer with a redirect.
public struct Dashboard: ConsoleRoutes {
    let watches: [any ConsoleWatch]
    let registry: Registry
    let samples: Samples
    let templates = Templates()
    let session: DashboardSession
    /// What forms bring along where nobody signs in; new at each start.
    private let localFormSecret =
        String(UInt64.random(in: 0 ... .max), radix: 36) + String(UInt64.random(in: 0 ... .max), radix: 36)

    public init(watches: [any ConsoleWatch], registry: Registry, samples: Samples, tokens: [AccessToken]) {
        self.watches = watches
        self.registry = registry
        self.samples = samples
        session = DashboardSession(tokens: tokens)
    }

    public func add(to router: Router<ConsoleContext>) {
        for asset in templates.assets.keys { router.get(RouterPath("/assets/\(asset)")) { _, _ in file(asset) } }
        router.get("/sign-in") { request, _ in DashboardGuard.secured(signInPage(request)) }
        router.post("/sign-in") { request, context in DashboardGuard.secured(try await signIn(request, context)) }

        let pages = router.group().add(middleware: door).add(middleware: ProblemPages(dashboard: self))
        let seen = pages.group().add(middleware: RequireRole(.viewer))
        seen.get("/") { request, context in try await overview(request, context) }
        seen.get("/review") { request, context in try await review(request, context) }
        seen.get("/find") { request, context in try await find(request, context) }
        for watch in watches {
            seen.get(RouterPath("/\(watch.name)")) { request, context in try await list(watch, request, context) }
            seen.get(RouterPath("/\(watch.name)/:id")) { request, context in try await row(watch, request, context) }
        }
        pages.post("/sign-out") { request, context in try await signOut(request, context) }
        let acted = pages.group().add(middleware: RequireRole(.operator))
        for watch in watches {
            acted.post(RouterPath("/\(watch.name)/:id/nudge")) { request, context in
                try await nudge(watch, request, context)
            }
            acted.post(RouterPath("/\(watch.name)/:id/resolve")) { request, context in
                try await resolve(watch, request, context)
            }
        }
        acted.post("/lanes/:lane/pause") { request, context in try await pause(request, context) }
        acted.post("/lanes/:lane/resume") { request, context in try await resume(request, context) }
        addWaysBack(to: seen)
        // It is around what the router finds nothing for.
        router.add(middleware: MissingPages(dashboard: self))
    }

    /// The address of an action is no page, but stands in the browser when one was refused. Who opens it comes to what it is
    /// about.
    private func addWaysBack(to pages: RouterGroup<ConsoleContext>) {
        for watch in watches {
            for action in ["nudge", "resolve"] {
                pages.get(RouterPath("/\(watch.name)/:id/\(action)")) { _, context in
                    try Response.redirect(to: Self.path(watch.name, Self.segment("id", context)), type: .normal)
                }
            }
        }
        for path in ["/lanes/:lane/pause", "/lanes/:lane/resume", "/sign-out"] {
            pages.get(RouterPath(path)) { _, _ in Response.redirect(to: "/", type: .normal) }
        }
    }

    private var door: DashboardGuard { DashboardGuard(session: session, localFormSecret: localFormSecret) }

    /// The page for an address where nothing is.
    func missing(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        try await door.handle(request, context: context) { request, context in
            try await ProblemPages(dashboard: self).handle(request, context: context) { _, _ in
                throw Problem(.notFound, "there is no such page")
            }
        }
    }

    private func file(_ name: String) -> Response {
        guard let asset = templates.assets[name] else { return Problem(.notFound, nil).response }
        return DashboardGuard.secured(
            Response(
                status: .ok,
                headers: [.contentType: asset.type, .cacheControl: "public, max-age=31536000, immutable"],
                body: .init(byteBuffer: .init(string: asset.text))))
    }

    /// A page in the dashboard's frame.
    func page(
        _ template: String, title: String, here: String, _ model: Model, status: HTTPResponse.Status = .ok,
        query: String = "", _ request: Request, _ context: ConsoleContext, reviews: RowCount? = nil
    ) -> Response {
        var model = model
        let now = Timestamp.wallClock
        model["title"] = title
        model["navigation"] = navigation(here: here, reviews: reviews)
        model["csrf"] = context.formSecret
        model["query"] = query
        model["asOf"] = TimeWords(now: now).text(now)
        model["mayAct"] = mayAct(context)
        if !session.tokens.isEmpty, context.caller.role != nil { model["signOut"] = ["name": context.caller.name] }
        if model["flash"] == nil { model.set("flash", Flash.of(request)) }
        return Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8"],
            body: .init(byteBuffer: .init(string: templates.render(template, model))))
    }

    func mayAct(_ context: ConsoleContext) -> Bool { context.caller.role.map { $0 >= .operator } ?? false }

    private func navigation(here: String, reviews: RowCount?) -> [Model] {
        var pages: [Model] = [["path": "/", "name": "Overview"]]
        pages.append(
            // Empty for none: a live page must have where to put it.
            ["path": "/review", "name": "Review", "hasBadge": reviews != nil]
                .with("badge", reviews.flatMap { $0.count > 0 ? CountWords.text($0) : nil } ?? ""))
        pages += watches.map { ["path": "/\($0.name)", "name": $0.name.prefix(1).uppercased() + $0.name.dropFirst()] }
        return pages.map { $0.with("isHere", ($0["path"] as? String) == here) }
    }

    /// How many rows wait for a human, over all watches.
    func reviewCount() async throws(PostgresError) -> RowCount {
        var sum = RowCount(0)
        for watch in watches { sum = sum + (try await watch.reviewCount()) }
        return sum
    }

    /// The path parameter as it was meant: one percent-encoded segment. What nothing can be called is not there.
    static func segment(_ name: String, _ context: ConsoleContext) throws -> String {
        guard let text = try context.parameters.require(name).removingPercentEncoding, !text.isEmpty else {
            throw Problem(.badRequest, "the address cannot be read")
        }
        guard isName(text) else { throw Problem(.notFound, "there is nothing of that name") }
        return text
    }

    /// Whether something can be called so, as far as the database takes texts.
    static func isName(_ text: String) -> Bool { text.utf8.count <= 1_024 && !text.utf8.contains(0) }

    static func path(_ watch: String, _ id: String) -> String { "/\(watch)/\(Self.encoded(id))" }

    /// One segment of an address. A browser takes one or two dots for directories however they are written: a row of such an id
    /// has no page, and is for the API and the command line.
    static func encoded(_ segment: String) -> String {
        segment.addingPercentEncoding(withAllowedCharacters: unreserved) ?? segment
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}

/// What was done, told once on the page that follows: a word in its address, and never a text from there.
enum Flash: String {
    case nudged, resolved, paused, resumed
    case signedOut = "signed-out"

    private var text: String {
        switch self {
        case .nudged: "It will be checked now."
        case .resolved: "Decided, and recorded in its history."
        case .paused: "The lane is paused until someone has it run again."
        case .resumed: "The lane runs again."
        case .signedOut: "Signed out."
        }
    }

    static func of(_ request: Request) -> Model? {
        guard let flash = request.uri.queryParameters["done"].flatMap({ Flash(rawValue: String($0)) }) else {
            return nil
        }
        return ["text": flash.text, "tone": "good"]
    }
}
