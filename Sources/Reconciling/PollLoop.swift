import Timeline

/// Decides when a poller talks to its store, what it claims, and until when it sleeps.
///
/// A value that is told what happened and asked what to do next; it has no clock and does nothing itself. Under load
/// conclusions are written and rows are claimed in one round trip, and a second round may start while one is under way
/// if it carries enough to be worth it, so that the store works while checks run. With nothing due it sleeps to the next
/// row that falls due, and to the poll floor at the latest, where a notification may have been lost.
struct PollLoop: Sendable {
    /// What the poller holds at the moment.
    struct Load: Sendable {
        /// Checks under way, by lane.
        var running: [Int]
        /// Rows that are kept for a while before they are given back, by lane. They fill slots of the watch, so that a
        /// lane full of them takes nothing from the others, but not of their lane's own limit.
        var cooling: [Int]
        /// Rows claimed and not yet settled or handed back, the running ones included.
        var held: Int
        /// Conclusions to write, and since when the oldest waits.
        var ready: Int
        var readySince: Moment?
        /// A row is held that was claimed often without a settle, by lane: no other of its kind there for now.
        var holdsSuspect: [Bool]
    }

    /// One trip to the store.
    struct Round: Sendable {
        struct Part: Hashable, Sendable {
            var lane: Int
            var count: Int
            /// Looks at everything that is due, not from the lane's bound on.
            var isSweep: Bool
            /// May bring a suspect. One a lane at a time, on its way here included.
            var includesSuspects: Bool
        }

        let id: Int
        let sentAt: Moment
        /// Conclusions to write.
        let settleCount: Int
        /// Empty settles only.
        let parts: [Part]
    }

    /// What a claim found in one lane.
    struct Found: Sendable {
        var count = 0
        var nextDueIn: Duration?
        /// A suspect came alone: other rows of the lane were due, before it even, and were left.
        var isPartial = false
    }

    enum Step: Sendable {
        case exchange(Round)
        /// Nothing to do until then, or until something happens.
        case wait(until: Moment)
    }

    /// Conclusions wait this long for others to join them, unless nothing else is under way.
    static var linger: Duration { .milliseconds(1) }
    /// The same with more rows due than slots, where fuller batches are worth more than a millisecond.
    static var lingerWhenBusy: Duration { .milliseconds(4) }
    /// Conclusions wait this long for a round under way, in case it is stuck, before they go alone.
    static var patience: Duration { .milliseconds(100) }
    /// Notifications that follow each other closely are answered by one claim.
    static var debounce: Duration { .milliseconds(4) }
    /// A claim sent a hair too early is sent again, but not at once.
    static var claimGapMin: Duration { .microseconds(200) }
    static var exchangesMax: Int { 2 }
    /// Rows that a lane which answers wrongly may have at once: enough for its guard to see that it is not the row.
    static var suspectQuota: Int { 3 }
    static var suspicionBackoff: Backoff {
        Backoff(base: .seconds(1), ceiling: .seconds(5), floor: .seconds(1))
    }

    private(set) var lanes: [LaneSchedule]
    private(set) var rounds: [Round] = []
    private(set) var isStopping = false
    private let concurrency: Int
    private let batch: Int
    private let poll: Duration
    private let sweep: Duration
    private var floorAt: Moment?
    private var claimedAt: Moment?
    private var finishedAt: Moment?
    private var roundCount = 0
    private var outageCount = 0
    private var retryAt: Moment?

    init(_ configuration: PollerConfiguration) {
        lanes = configuration.lanes.map {
            LaneSchedule(name: $0.name, concurrency: $0.concurrency ?? configuration.concurrency)
        }
        concurrency = configuration.concurrency
        batch = configuration.batch
        poll = min(configuration.poll, configuration.sweep)
        sweep = configuration.sweep
    }

    /// The store does not answer at present.
    var isOutage: Bool { outageCount > 0 }

    // MARK: What to do

    mutating func next(now: Moment, load: Load) -> Step {
        if isOutage { return nextInOutage(now: now, load: load) }
        let quotas = claimQuotas(now: now, load: load)
        let claimCount = quotas.reduce(0, +)
        let settleCount = min(load.ready, batch)
        guard rounds.count < Self.exchangesMax else { return .wait(until: .distantFuture) }
        if rounds.isEmpty {
            if claimCount > 0 && isClaimWorthwhile(claimCount, now: now) || isSettleDue(now: now, load: load) {
                return .exchange(start(settleCount, claim: quotas, now: now, load: load))
            }
        } else {
            let isFull = settleCount >= (batch + 1) / 2 || claimCount >= (min(batch, concurrency) + 1) / 2
            // A row that falls due while another round writes must not wait for it.
            let isUrgent = claimCount > 0 && rounds.allSatisfy { $0.parts.isEmpty } && !isBusy
            if isFull || isUrgent || isOverdue(now: now, load: load) {
                return .exchange(start(settleCount, claim: quotas, now: now, load: load))
            }
        }
        return .wait(until: wakeTime(now: now, load: load))
    }

    /// One round at a time, conclusions first; nothing is claimed while there are some to write.
    private mutating func nextInOutage(now: Moment, load: Load) -> Step {
        guard rounds.isEmpty else { return .wait(until: .distantFuture) }
        if let retryAt, now < retryAt { return .wait(until: retryAt) }
        if load.ready > 0 {
            let none = Array(repeating: 0, count: lanes.count)
            return .exchange(start(min(load.ready, batch), claim: none, now: now, load: load))
        }
        guard !isStopping else { return .wait(until: .distantFuture) }
        for index in lanes.indices { lanes[index].want(by: now) }
        let quotas = claimQuotas(now: now, load: load)
        guard quotas.contains(where: { $0 > 0 }) else { return .wait(until: now + poll) }
        return .exchange(start(0, claim: quotas, now: now, load: load))
    }

    private func isSettleDue(now: Moment, load: Load) -> Bool {
        guard load.ready > 0, let since = load.readySince else { return false }
        return load.ready >= batch || load.running.allSatisfy { $0 == 0 } || now >= since + linger
    }

    /// With more due than slots, a trip for a handful of slots costs the store as much as one for many: conclusions,
    /// which free slots, are about to arrive, and their linger bounds the wait.
    private func isClaimWorthwhile(_ count: Int, now: Moment) -> Bool {
        guard isBusy, let finishedAt else { return true }
        return count >= max(1, min(batch, concurrency) / 4) || now >= finishedAt + Self.lingerWhenBusy
    }

    private func isOverdue(now: Moment, load: Load) -> Bool {
        guard load.ready > 0, let since = load.readySince else { return false }
        return now >= since + Self.patience
    }

    private var isBusy: Bool { lanes.contains(where: \.isBusy) }

    private var linger: Duration { isBusy ? Self.lingerWhenBusy : Self.linger }

    private func wakeTime(now: Moment, load: Load) -> Moment {
        var wake = Moment.distantFuture
        if load.ready > 0, let since = load.readySince {
            wake = min(wake, since + (rounds.isEmpty ? linger : Self.patience))
        }
        guard !isStopping else { return wake }
        for lane in lanes {
            // What is wanted by now and was not claimed waits for a slot, not for a time.
            if let wanted = lane.wantedAt, wanted > now { wake = min(wake, wanted) }
        }
        if let floorAt, floorAt > now { wake = min(wake, floorAt) }
        if isBusy, rounds.isEmpty, let finishedAt, finishedAt + Self.lingerWhenBusy > now {
            wake = min(wake, finishedAt + Self.lingerWhenBusy)
        }
        return wake
    }

    /// Rows to claim now, by lane; zeros if no claim is wanted.
    private func claimQuotas(now: Moment, load: Load) -> [Int] {
        let none = Array(repeating: 0, count: lanes.count)
        guard !isStopping else { return none }
        let isFloor = floorAt.map { now >= $0 } ?? true
        let isWanted = lanes.map { lane in lane.wantedAt.map { now >= $0 } ?? false }
        guard isFloor || isWanted.contains(true) else { return none }
        let reserved = lanes.reduce(0) { $0 + $1.reserved }
        let taken = load.running.reduce(0, +) + load.cooling.reduce(0, +)
        // Under load two claims share the slots, so that one is on its way while the other's rows are checked.
        let claimCountMax = isBusy ? min(batch, (concurrency + 1) / 2) : batch
        let budget = min(
            claimCountMax, concurrency - taken - reserved, concurrency + 2 * batch - load.held - reserved)
        guard budget > 0 else { return none }
        let demands = lanes.indices.map { index in
            let lane = lanes[index]
            // Lanes whose claim is under way are asked again only if more is known to be due.
            let isAsked = lane.reserved > 0 && !lane.isBusy && (lane.wantedAt.map { now < $0 } ?? true)
            return ClaimPlan.Demand(
                isOpen: lane.isOpen(at: now) && !isAsked, isBusy: lane.isBusy,
                taken: load.running[index] + load.cooling[index] + lane.reserved,
                limit: load.cooling[index]
                    + (lane.suspicion > 0 ? min(lane.concurrency, Self.suspectQuota) : lane.concurrency))
        }
        let quotas = ClaimPlan.quotas(demands, concurrency: concurrency, budget: budget, turn: roundCount)
        // A lane that wants to be claimed and has no slot waits for one; the others must not be asked in its place.
        guard isFloor || zip(quotas, isWanted).contains(where: { $0 > 0 && $1 }) else { return none }
        return quotas
    }

    private mutating func start(_ settleCount: Int, claim quotas: [Int], now: Moment, load: Load) -> Round {
        var parts: [Round.Part] = []
        for index in lanes.indices where quotas[index] > 0 {
            // The claim after this one comes a poll later at the latest; sweep now if that would be too late.
            let isSweep = lanes[index].sweptAt.map { now + poll * 1.4 >= $0 + sweep } ?? true
            if isSweep { lanes[index].sweptAt = now }
            let isSuspectAsked = rounds.contains { round in
                round.parts.contains { $0.lane == index && $0.includesSuspects }
            }
            parts.append(
                Round.Part(
                    lane: index, count: quotas[index], isSweep: isSweep,
                    includesSuspects: !load.holdsSuspect[index] && !isSuspectAsked))
            lanes[index].reserved += quotas[index]
            lanes[index].claimAt = lanes[index].isBusy ? now : nil
        }
        if !parts.isEmpty {
            claimedAt = now
            floorAt = now + poll * 1.4
        }
        let round = Round(id: roundCount, sentAt: now, settleCount: settleCount, parts: parts)
        roundCount += 1
        rounds.append(round)
        return round
    }

    // MARK: What happened

    /// A round came back well. `found` has one element for each part of its claim, and is empty if it had none.
    mutating func finished(
        _ id: Int, found: [Found], now: Moment, using random: inout some RandomNumberGenerator
    ) {
        guard let round = end(id) else { return }
        outageCount = 0
        retryAt = nil
        guard !round.parts.isEmpty else { return }
        finishedAt = now
        for (part, found) in zip(round.parts, found) {
            if found.isPartial {
                lanes[part.lane].want(by: now + Self.claimGapMin)
                continue
            }
            let isFull = found.count >= part.count
            lanes[part.lane].isBusy = isFull
            if isFull {
                lanes[part.lane].want(by: now)
            } else if let nextDueIn = found.nextDueIn {
                // Counted from the sending: early by the trip at most, and then the next horizon is exact.
                lanes[part.lane].want(by: max(round.sentAt + nextDueIn, now + Self.claimGapMin))
            }
        }
        floorAt = now + poll * Double.random(in: 1.1...1.4, using: &random)
    }

    /// A round failed, or its half; what it claimed, if anything, comes back when the leases lapse.
    mutating func failed(_ id: Int, now: Moment, using random: inout some RandomNumberGenerator) {
        guard let round = end(id) else { return }
        for part in round.parts {
            lanes[part.lane].isBusy = false
            lanes[part.lane].want(by: now)
        }
        outageCount += 1
        // Half of it at least: pollers that lost their store together must not all come back at once, nor at none.
        let delay = Backoff.outage.delay(failures: outageCount, using: &random)
        retryAt = now + max(delay, Backoff.outage.limit(failures: outageCount) / 2)
    }

    private mutating func end(_ id: Int) -> Round? {
        guard let index = rounds.firstIndex(where: { $0.id == id }) else { return nil }
        let round = rounds.remove(at: index)
        for part in round.parts { lanes[part.lane].reserved -= part.count }
        return round
    }

    /// Rows of this lane became due sooner than was known.
    mutating func wokenUp(lane: Int, now: Moment) {
        let at = max(now, claimedAt.map { $0 + Self.debounce } ?? now)
        lanes[lane].want(by: at)
    }

    /// Rows of this lane are due that claims passed over: they were given back, or kept waiting for a suspect.
    mutating func leftBehind(lane: Int, now: Moment) {
        lanes[lane].want(by: now)
    }

    /// The lane answered for its configuration: a few rows at a time from now on, and not at once.
    mutating func suspect(lane: Int, now: Moment, using random: inout some RandomNumberGenerator) {
        // One claim may bring several rows that meet the same fault; they count once.
        if lanes[lane].suspicion > 0, let notBefore = lanes[lane].notBefore, now < notBefore { return }
        lanes[lane].suspicion += 1
        lanes[lane].isBusy = false
        let delay = Self.suspicionBackoff.delay(failures: lanes[lane].suspicion, using: &random)
        hold(lane: lane, until: now + delay)
    }

    /// The lane answered.
    mutating func trust(lane: Int, now: Moment) {
        guard lanes[lane].suspicion > 0 else { return }
        lanes[lane].suspicion = 0
        lanes[lane].notBefore = nil
        lanes[lane].want(by: now)
    }

    /// A row of this lane was written and falls due then; the next claim's horizon may come too late for it.
    mutating func rescheduled(lane: Int, to moment: Moment) {
        lanes[lane].want(by: moment)
    }

    /// No claims in this lane until then; a longer hold stays.
    mutating func hold(lane: Int, until moment: Moment) {
        lanes[lane].notBefore = max(lanes[lane].notBefore ?? moment, moment)
        lanes[lane].want(by: moment)
    }

    /// Claims no more; what is held is still written.
    mutating func stop() {
        isStopping = true
    }
}
