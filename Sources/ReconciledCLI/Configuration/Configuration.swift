import Foundation
import Payments
import Settings
import Timers
import Uploads

/// Everything that `reconciled.yaml` and the environment say, checked: also keys whose effect comes with a later version,
/// so that a file that is accepted today is right tomorrow.
struct Configuration: Sendable {
    var database: DatabaseConfiguration
    var http: HTTPConfiguration
    var watches: WatchesConfiguration
    var gateways: [GatewayConfiguration]
    var stores: [StoreConfiguration]
    var lanes: [NamedLaneConfiguration]
    var webhooks: [WebhookConfiguration]

    static let fileBytesMax = 1 << 20
    static let defaultPath = "reconciled.yaml"

    /// Reads the file (`--config`, else `RECONCILED_CONFIG`, else `reconciled.yaml` where there is one) under the
    /// environment. Throws `SettingsError`.
    static func load(path: String?, environment: [String: String] = ProcessInfo.processInfo.environment) throws -> Self
    {
        let named = path ?? environment["RECONCILED_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        let file = named ?? defaultPath
        guard named != nil || FileManager.default.fileExists(atPath: file) else {
            return try Configuration(yaml: "", fileName: "environment", environment: environment)
        }
        return try Configuration(yaml: try read(file), fileName: file, environment: environment)
    }

    init(yaml: String, fileName: String, environment: [String: String]) throws {
        var root = try SettingsDocument(yaml: yaml, fileName: fileName, environment: environment).root
        database = try DatabaseConfiguration(reading: try root.section("database"))
        http = try HTTPConfiguration(reading: try root.section("http"))
        let watches = try WatchesConfiguration(reading: try root.section("watches"))
        self.watches = watches
        var names = LaneNames()
        gateways = try root.sections("gateways").map { name, section in
            var section = section
            try names.add(name, section)
            let gateway = try GatewayConfiguration(reading: &section)
            if let problem = gateway.closeProblem(lease: watches.orders.lease) {
                throw section.error(
                    "timeout", problem: problem,
                    allowed: "a timeout well below watches.orders.lease, or closeAtGateway: false")
            }
            return gateway
        }
        var known: [StoreConfiguration] = []
        stores = try root.sections("stores").map { name, section in
            var section = section
            try names.add(name, section)
            let store = try StoreConfiguration(reading: &section)
            if let problem = store.timeoutProblem(lease: watches.uploads.lease) {
                throw section.error(
                    "timeout", problem: problem, allowed: "a timeout well below watches.uploads.lease")
            }
            if let (key, problem) = known.lazy.compactMap(store.directoryProblem).first {
                throw section.error(
                    key, problem: "the same directory as \(problem), or one in the other",
                    allowed: "a directory of its own")
            }
            known.append(store)
            return store
        }
        lanes = try root.sections("lanes", definedBy: ["concurrency", "rate", "timeout"]).map { name, section in
            try names.add(name, section)
            return try NamedLaneConfiguration(name: name, reading: section)
        }
        if !lanes.contains(where: { $0.name == NamedLaneConfiguration.timers.name }) {
            try names.add(NamedLaneConfiguration.timers.name, root, path: "the timers' own lane")
            lanes.append(.timers)
        }
        webhooks = try root.sections("webhooks", definedBy: ["url"]).map { name, section in
            try names.add(name, section)
            return try WebhookConfiguration(name: name, reading: section)
        }
        try root.finish()
    }

    /// Where timers may call: as configured; else everywhere while only this machine can add one by HTTP, and nowhere once
    /// others can.
    var timerTargets: TargetPolicy {
        if let targets = watches.timerTargets { return targets }
        return HTTPConfiguration.isLoopback(http.host) ? .everywhere : .nowhere
    }

    private static func read(_ file: String) throws(SettingsError) -> String {
        func failure(_ problem: String, _ allowed: String) -> SettingsError {
            var error = SettingsError(key: "", line: nil, problem: problem, allowed: allowed)
            error.origin = file
            return error
        }
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            defer { try? handle.close() }
            data = try handle.read(upToCount: fileBytesMax + 1) ?? Data()
        } catch {
            throw failure("the file cannot be read", "a readable file, given by --config or RECONCILED_CONFIG")
        }
        guard data.count <= fileBytesMax else { throw failure("the file is too large", "at most 1MiB") }
        guard let text = String(data: data, encoding: .utf8) else {
            throw failure("the file is not UTF-8", "UTF-8 text")
        }
        // As it is for a moment where someone writes it in place: a reload would drop every lane and token.
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw failure("the file is empty", "at least one setting, or no file at all")
        }
        return text
    }
}

/// Lane names are unique across gateways, stores, webhooks and `lanes`: a row names its lane by this word alone.
private struct LaneNames {
    private var pathByName: [String: String] = [:]

    /// - Parameter path: who names it so, where that is not the section.
    mutating func add(_ name: String, _ section: SettingsSection, path: String? = nil) throws(SettingsError) {
        if let first = pathByName.updateValue(path ?? section.path, forKey: name) {
            throw section.error(
                nil, problem: "the lane \"\(name)\" is already named by \(first)",
                allowed: "names that are unique across gateways, stores, lanes and webhooks")
        }
    }
}
