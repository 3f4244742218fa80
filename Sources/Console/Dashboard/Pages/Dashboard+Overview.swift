import Foundation
import Hummingbird
import PostgresStore
import Timeline

extension Dashboard {
    /// A poller's heartbeat is written every few seconds.
    static let silentAfter = Duration.seconds(60)

    func overview(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let glance = try await Glance(watches: watches, registry: registry)
        let times = TimeWords(now: .wallClock)
        var model: Model = [
            "alerts": glance.alerts, "news": glance.news, "tiles": glance.tiles,
            "lanes": glance.laneRows(mayAct: mayAct(context)),
            "hasLanes": !glance.lanes.isEmpty, "pollers": glance.pollerRows(times),
            "hasPollers": !glance.pollers.isEmpty,
            "changes": try await registry.recentHistory(limit: 12).compactMap { try change(RowFields($0), times) },
        ]
        let steps = try await samples.recent(LastHour.span, step: LastHour.step)
        model["charts"] = LastHour.charts(steps).map {
            ["title": $0.title, "lines": $0.keys, "svg": $0.svg] as Model
        }
        return page("overview", title: "Overview", here: "/", model, request, context, reviews: glance.reviewCount)
    }

    /// A line of the latest changes, over all watches.
    private func change(_ entry: RowFields, _ times: TimeWords) -> Model? {
        guard let watch = entry["watch"], let id = entry["row_id"], let at = entry.time("at") else { return nil }
        let told = Narrative(words: Words.of(watch), times: times).change(entry, at: at)
        let noun = watches.first { $0.name == watch }?.noun ?? (watch == "lanes" ? "lane" : watch)
        return [
            "subject": "\(noun) \(id)", "text": told.text, "tone": told.tone.rawValue,
            "path": watches.contains { $0.name == watch } ? Self.path(watch, id) : "/",
        ].with("time", times.model(at))
    }
}
