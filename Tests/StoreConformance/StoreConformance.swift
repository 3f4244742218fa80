import Reconciling
import Timeline

/// The contract of `Store`, as rules that every implementation is held to.
///
/// The simulated store and the real one pass the same rules; so what the engine does on one it does on the other.
public enum StoreConformance<H: StoreHarness> {
    /// One sentence of the contract with what proves it.
    public struct Rule: Sendable, CustomStringConvertible {
        public var description: String
        let body: @Sendable (Subject<H>) async throws -> Void

        /// Throws a `ConformanceFailure` if the store behind this fresh harness breaks the rule.
        public func check(_ harness: H) async throws {
            let subject = Subject(rule: description, harness: harness)
            try await subject.prepare()
            try await body(subject)
        }
    }

    public static var rules: [Rule] {
        claimRules + settleRules + fenceRules + applicationRules + leaseRules + laneRules
    }

    static func rule(_ text: String, _ body: @escaping @Sendable (Subject<H>) async throws -> Void) -> Rule {
        Rule(description: text, body: body)
    }
}

/// A store broke a rule.
public struct ConformanceFailure: Error, CustomStringConvertible {
    public var rule: String
    public var message: String

    public var description: String { "rule “\(rule)” is broken: \(message)" }
}
