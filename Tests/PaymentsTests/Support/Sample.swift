import Reconciling
import Timeline

@testable import Payments

/// Orders and answers that fit each other, for tests to bend.
enum Sample {
    static let created = Timestamp("2026-11-01T00:00:00Z")!
    static let expires = created + .seconds(3_600)
    static let givesUp = created + .seconds(7 * 86_400)
    /// Before everything, between, and behind everything.
    static let early = created + .seconds(60)
    static let expired = expires + .seconds(60)
    static let late = givesUp + .seconds(60)

    static func order(
        status: String = "pending", expiresAt: Timestamp? = expires, giveUpAt: Timestamp? = nil,
        reviewReason: String? = nil
    ) -> Order {
        Order(
            id: "A-1", gateway: "acme", gatewayRef: "pi_1", amountMinor: 1_999, currency: "EUR", status: status,
            createdAt: created, expiresAt: expiresAt, giveUpAt: giveUpAt, reviewReason: reviewReason)
    }

    static func answer(_ state: Answer.State, authenticated: Bool = true) -> Answer {
        Answer(
            state, authenticated: authenticated, amountReceived: .value(1_999), gatewayAmount: 1_999,
            currency: .value("EUR"), merchant: .value("m-1"), orderReference: .value("pi_1"), txn: "txn-1",
            gatewayState: "word", isClosable: true)
    }

    static let paid = answer(.paid)
    static let timeout = Answer.unknown(.timeout)
    static let garbage = Answer.unknown(AnswerFailure(.unreadable, problem: "garbage"))

    static let policy = OrderPolicy(requirements: .init(reference: .gatewayRef, merchant: "m-1"))

    static func claim(_ order: Order, checkCount: Int = 0, progress: String? = nil) -> Claim<Order> {
        Claim(
            row: order, lease: Lease(token: 7), dueAt: early, claimedAt: early, cadenceAnchor: created,
            checkCount: checkCount, progress: progress)
    }
}
