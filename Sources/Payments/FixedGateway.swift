import Outgoing
import Timeline

/// A gateway in this process that says what the configuration says: for trials and benchmarks.
public struct FixedGateway: Gateway {
    public struct Settings: Hashable, Sendable {
        public var state: Answer.State
        public var delay: Duration
        /// Minor units; nil echoes the order's own, as for the currency.
        public var amountMinor: Int64?
        public var currency: String?
        /// Nil answers one that no two orders share.
        public var txn: String?

        public init(
            state: Answer.State = .paid, delay: Duration = .zero, amountMinor: Int64? = nil, currency: String? = nil,
            txn: String? = nil
        ) {
            self.state = state
            self.delay = delay
            self.amountMinor = amountMinor
            self.currency = currency
            self.txn = txn
        }
    }

    private let settings: Settings

    public init(_ settings: Settings) {
        self.settings = settings
    }

    public func ask(_ order: Order, deadline: Moment) async -> Answer {
        if settings.delay > .zero, let failure = await wait(until: deadline) { return .unknown(failure) }
        switch settings.state {
        case .unknown:
            return .unknown(AnswerFailure(.unreadable, problem: "The configuration says that the state is UNKNOWN."))
        case .configError: return .configError("the configuration says that the state is CONFIG_ERROR")
        default: break
        }
        return Answer(
            settings.state, authenticated: true, amountReceived: .value(settings.amountMinor ?? order.amountMinor),
            currency: .value(settings.currency ?? order.currency),
            txn: settings.state == .paid ? settings.txn ?? order.id : nil, gatewayState: settings.state.rawValue)
    }

    private func wait(until deadline: Moment) async -> AnswerFailure? {
        let left = deadline - Moment.now
        do {
            try await Task.sleep(for: min(settings.delay, left))
        } catch {
            return AnswerFailure(OutgoingFailure.cancelled(deadline))
        }
        return settings.delay > left ? .timeout : nil
    }
}
