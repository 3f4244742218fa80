import Timeline

/// What the sandbox knows: the intents that were registered, when each was asked about first, and how often.
actor SandboxLedger {
    struct Look: Sendable {
        var intent: SandboxIntent
        var status: String
        /// Whether this question meets the intent's fault.
        var fault: SandboxFault?
    }

    /// More references than this are answered, but no longer remembered.
    static let rememberedMax = 1_000_000

    private struct Memory {
        var firstAsked: ContinuousClock.Instant
        var asked = 0
        var isCanceled = false
    }

    private var registered: [String: SandboxIntent] = [:]
    private var memories: [String: Memory] = [:]
    private let clock = ContinuousClock()

    func register(_ intents: [SandboxIntent]) -> Bool {
        guard registered.count + intents.count <= Self.rememberedMax else { return false }
        for intent in intents {
            registered[intent.id] = intent
            memories[intent.id] = nil
        }
        return true
    }

    /// Answers one question; nil if nobody knows the reference.
    func ask(_ id: String) -> Look? {
        var memory = memories[id] ?? Memory(firstAsked: clock.now)
        memory.asked += 1
        remember(id, memory)
        guard let intent = registered[id] ?? SandboxIntent(derivedFrom: id) else { return nil }
        let isFaulty = intent.faultCount.map { memory.asked <= $0 } ?? true
        return Look(
            intent: intent, status: status(intent, memory), fault: isFaulty ? intent.fault : nil)
    }

    /// Cancels an unpaid intent; nil if nobody knows it. The look says whether it is canceled now.
    func cancel(_ id: String) -> Look? {
        guard let intent = registered[id] ?? SandboxIntent(derivedFrom: id) else { return nil }
        var memory = memories[id] ?? Memory(firstAsked: clock.now)
        if status(intent, memory).hasPrefix("requires_") { memory.isCanceled = true }
        remember(id, memory)
        return Look(intent: intent, status: status(intent, memory), fault: nil)
    }

    func calls() -> [String: Int] { memories.mapValues(\.asked) }

    private func status(_ intent: SandboxIntent, _ memory: Memory) -> String {
        memory.isCanceled ? "canceled" : intent.status(at: clock.now - memory.firstAsked)
    }

    private func remember(_ id: String, _ memory: Memory) {
        if memories[id] != nil || memories.count < Self.rememberedMax { memories[id] = memory }
    }
}
