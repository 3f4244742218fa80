import Timeline

@testable import Payments

/// What the rules make of an answer.
func decide(
    _ order: Order, _ answer: Answer, at begunAt: Timestamp = Sample.early, policy: OrderPolicy = Sample.policy,
    progress: OrderProgress = .init(), failureCount: Int = 0, isDuplicate: Bool = false
) -> OrderDecision {
    OrderRules.decide(
        order, answer, policy: policy, begunAt: begunAt, progress: progress, failureCount: failureCount,
        isDuplicate: isDuplicate)
}

/// Of an answer about the usual order.
func decide(
    _ answer: Answer, at begunAt: Timestamp = Sample.early, policy: OrderPolicy = Sample.policy,
    progress: OrderProgress = .init(), isDuplicate: Bool = false
) -> OrderDecision {
    decide(
        Sample.order(), answer, at: begunAt, policy: policy, progress: progress, isDuplicate: isDuplicate)
}
