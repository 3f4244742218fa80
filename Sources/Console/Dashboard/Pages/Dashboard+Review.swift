import Hummingbird
import PostgresStore
import Timeline

extension Dashboard {
    /// Cases on the page at most, for each watch.
    private static let casesMax = 50

    func review(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let times = TimeWords(now: .wallClock)
        var cases: [(since: Timestamp, model: Model)] = []
        for watch in watches {
            let words = Words.of(watch.name)
            let rows = try await CallerDesk(watch, context.caller).inReview(limit: Self.casesMax)
            for row in try rows.map({ try RowFields($0) }) {
                let since = row.time("review_at") ?? times.now
                let model = rowModel(row, watch, words, times, isOpen: false, back: "review")
                    .with("since", times.model(since))
                cases.append((since, model))
            }
        }
        let count = try await reviewCount()
        var model: Model = [:]
        // Whoever waits longest comes first, whatever it is.
        model["rows"] = cases.sorted { $0.since < $1.since }.map(\.model)
        if count.count > Int64(cases.count) {
            model["more"] = "These \(cases.count) wait longest, of \(CountWords.text(count))."
        }
        return page("review", title: "Review", here: "/review", model, request, context, reviews: count)
    }

    func find(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let query = request.uri.queryParameters.get("q") ?? ""
        guard Self.isName(query) else { throw Problem(.badRequest, "no id is like that") }
        var found: [Model] = []
        if !query.isEmpty {
            for watch in watches {
                let ids = try await CallerDesk(watch, context.caller)
                    .find(query, lanes: watch.laneNames, limit: 20)
                found += ids.map { ["path": Self.path(watch.name, $0), "heading": "\(watch.noun) \($0)"] }
            }
        }
        if found.count == 1, let path = found[0]["path"] as? String { return .redirect(to: path, type: .normal) }
        return page("found", title: "Find", here: "", ["rows": found], query: query, request, context)
    }
}
