/// Polls `condition` until it holds; throws when it does not within `limit`.
public func eventually(
    _ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw NotWithin(limit: limit, what: what) }
        try await Task.sleep(for: .milliseconds(10))
    }
}

struct NotWithin: Error, CustomStringConvertible {
    var limit: Duration
    var what: String
    var description: String { "not within \(limit): \(what)" }
}
