import Synchronization

/// The environment's part of a document: shared by its sections, it remembers which variables a key was found for.
final class SettingsEnvironment: Sendable {
    /// An empty variable counts as not set: that is what `X=${X:-}` in a compose file means.
    private let values: [String: String]
    /// Every variable with our prefix that is a setting, the empty ones too.
    private let names: Set<String>
    private let pathsByVariable = Mutex<[String: String]>([:])

    init(_ environment: [String: String]) {
        let settings = environment.filter {
            $0.key.hasPrefix(EnvironmentName.prefix) && !EnvironmentName.isReserved($0.key)
        }
        names = Set(settings.keys)
        values = settings.filter { !$0.value.isEmpty }
    }

    /// The variable that overrides `path`, if it is set.
    ///
    /// Throws if the same variable was already taken for another path (`a-b.c` and `a.bC` share a spelling): which of the
    /// two is meant cannot be known, and neither must be changed by mistake.
    func value(forPath path: String) throws(SettingsError) -> (variable: String, value: String)? {
        let variable = EnvironmentName.variable(forPath: path)
        guard names.contains(variable) else { return nil }
        let earlier = pathsByVariable.withLock { paths in
            let earlier = paths[variable]
            paths[variable] = path
            return earlier
        }
        if let earlier, earlier != path {
            throw SettingsError(
                origin: variable, key: path, line: nil, problem: "the environment variable also names \(earlier)",
                allowed: "names whose spelling in the environment differs")
        }
        return values[variable].map { (variable, $0) }
    }

    /// What follows `path` in the names of the variables below it, sorted: `KIND`, `STRIPE_EU_KIND`.
    func suffixes(below path: String) -> [String] {
        let prefix = path.isEmpty ? EnvironmentName.prefix : EnvironmentName.variable(forPath: path) + "_"
        return values.keys.filter { $0.hasPrefix(prefix) && $0.count > prefix.count }
            .map { String($0.dropFirst(prefix.count)) }.sorted()
    }

    /// The first variable that no key was found for.
    func firstUnused() -> String? {
        let used = pathsByVariable.withLock { Set($0.keys) }
        return names.subtracting(used).min()
    }

    /// The variables that belong to keys seen so far, for a "did you mean".
    func usedVariables() -> [String] {
        pathsByVariable.withLock { Array($0.keys) }
    }
}
