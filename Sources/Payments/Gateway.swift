import Timeline

/// The outside world of an order: translates a gateway's words into `Answer`, and decides nothing.
public protocol Gateway: Sendable {
    /// Asks about one order. Every fault is an answer; returns by the deadline or when the task is cancelled.
    func ask(_ order: Order, deadline: Moment) async -> Answer

    /// Asks the gateway to close an unpaid order, so that it cannot be paid any more. Whatever comes back, the order is
    /// asked about again: only that answer counts.
    func close(_ order: Order, idempotencyKey: String, deadline: Moment) async -> CloseOutcome
}

/// What became of the request to close.
public enum CloseOutcome: Hashable, Sendable {
    /// The gateway answered, yes or no.
    case answered
    /// It may have happened or not: the same idempotency key serves the next attempt.
    case unknown(AnswerFailure)
    /// We may not do that: says what is wrong, without secrets. The order was not closed.
    case misconfigured(String)
}

extension Gateway {
    public func close(_ order: Order, idempotencyKey: String, deadline: Moment) async -> CloseOutcome {
        .misconfigured("this gateway has no call that closes an order; closeAtGateway must be false")
    }
}
