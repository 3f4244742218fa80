import JSON
import Outgoing
import Reconciling
import Timeline

/// Makes a delivery that is due, and lets `DeliveryRules` decide what comes next.
///
/// At least once: a call that a dead poller left is made again by whoever claims the delivery next, under the same
/// `webhook-id`, by which a receiver tells a repeated one.
public struct DeliveryReconciler: Reconciler {
    private let endpoints: [String: Endpoint]
    private let http: OutgoingClient
    private let spread: @Sendable () -> Double

    /// - Parameter spread: anything from 0 to 1, at random.
    public init(
        endpoints: [Endpoint], http: OutgoingClient, spread: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        self.endpoints = Dictionary(endpoints.map { ($0.name, $0) }) { first, _ in first }
        self.http = http
        self.spread = spread
    }

    public func check(_ claim: Claim<Delivery>, context: CheckContext) async -> Conclusion<DeliveryChange> {
        let delivery = claim.row
        guard let endpoint = endpoints[delivery.endpoint] else {
            let problem = "no webhook of that name is configured"
            return Conclusion(.failed, next: .handBack, error: problem, laneSignal: .misconfigured(problem))
        }
        switch DeliveryRules.begin(delivery, createdAt: claim.cadenceAnchor, now: context.now()) {
        case .send: break
        case .wait(let delay):
            return Conclusion(
                .recheck, next: .after(delay), reason: "WAITS_FOR_EARLIER", progress: claim.progress,
                laneSignal: .silent)
        case .rest: return Conclusion(.settled, next: .rest, progress: claim.progress, laneSignal: .silent)
        }
        guard !context.isDryRun else { return Self.dryRun(claim, endpoint) }
        let answer = await http.send(
            endpoint.request(delivery, now: context.now()), deadline: context.deadline,
            bodyBytesMax: OutgoingClient.ignoredBodyBytesMax)
        let status: Int
        var wait: Duration?
        switch answer {
        case .success(let response):
            status = response.status
            if status == 429 || status == 503 { wait = response.retryAfter }
        case .failure(.tooLarge(let code, _)): status = code
        case .failure(.interrupted): return Conclusion(.failed, next: .handBack, laneSignal: .silent)
        case .failure(let failure):
            return conclusion(claim, .unanswered, problem: failure.problem(of: "endpoint"))
        }
        let problem = (200...299).contains(status) ? nil : "The endpoint answered \(status)."
        return conclusion(claim, .answered(status, wait: wait), problem: problem)
    }

    private func conclusion(
        _ claim: Claim<Delivery>, _ outcome: DeliveryRules.Outcome, problem: String?
    ) -> Conclusion<DeliveryChange> {
        let decision = DeliveryRules.decide(
            claim.row, outcome, failureCount: claim.failureCount, spread: spread())
        var answer = JSONObjectText()
        answer.add("webhook_id", claim.row.eventID)
        answer.add("attempt", Int64(claim.failureCount + 1))
        answer.add("status_code", outcome.statusCode.map(Int64.init))
        answer.add("problem", problem)
        return Conclusion(
            decision.verdict, next: decision.next,
            change: DeliveryChange(
                status: decision.status, called: true, statusCode: outcome.statusCode,
                reviewReason: decision.reviewReason,
                reviewDetail: decision.reviewReason == nil ? nil : answer.text),
            reason: decision.reason, answer: answer.text, error: problem, progress: claim.progress,
            laneSignal: Self.signal(outcome))
    }

    /// What a call says about its endpoint as a whole; a 404 is an answer.
    private static func signal(_ outcome: DeliveryRules.Outcome) -> LaneSignal {
        switch outcome {
        case .unanswered: .failed(retryAfter: nil)
        case .answered(let code, let wait) where code == 429 || code >= 500: .failed(retryAfter: wait)
        case .answered: .answered
        }
    }

    /// Says what would be sent.
    private static func dryRun(_ claim: Claim<Delivery>, _ endpoint: Endpoint) -> Conclusion<DeliveryChange> {
        var would = JSONObjectText()
        would.add("method", "POST")
        would.add("url", endpoint.url.description)
        would.add("webhook_id", claim.row.eventID)
        var answer = JSONObjectText()
        answer.add("would", object: would)
        return Conclusion(
            .recheck, next: .after(.zero), reason: "dry_run", answer: answer.text, progress: claim.progress,
            laneSignal: .silent)
    }

    public func refused(
        _ claim: Claim<Delivery>, _ conclusion: Conclusion<DeliveryChange>, by refusal: Refusal
    ) -> Conclusion<DeliveryChange> {
        Conclusion(
            .failed, next: .backoff, reason: "REFUSED", answer: conclusion.answer, error: refusal.error,
            progress: claim.progress,
            laneSignal: conclusion.laneSignal)
    }

    public func poisoned(_ claim: Claim<Delivery>) -> Conclusion<DeliveryChange> {
        var detail = JSONObjectText()
        detail.add("status_before", claim.row.status)
        detail.add("claim_count", Int64(claim.claimCount))
        return Conclusion(
            .review, next: .rest,
            change: DeliveryChange(status: "review", reviewReason: "POISON", reviewDetail: detail.text),
            reason: "POISON", progress: claim.progress, laneSignal: .silent)
    }
}
