import Collections
import Logging
import ServiceLifecycle
import Timeline

/// Keeps one watch reconciled: claims due rows, has them checked, and settles what the checks conclude.
///
/// Any number of pollers, in one process or many, share a watch without talking to each other; the store's leases keep
/// them apart. `run` ends when it is shut down gracefully (running checks finish within the grace, the rest is handed
/// back), when its task is cancelled (everything is handed back at once), or by throwing the `StoreError` that no
/// retrying can heal. An unreachable store is none: it is retried for as long as it takes.
///
/// A check that ignores its cancellation keeps `run` from returning until it ends by itself: nothing may run on behind
/// the back of whoever awaits `run`. Its row does not wait for that, it is handed back first; whoever must be gone by a
/// certain time ends the process.
///
/// The poller runs on a thread of its own (`PollerRuntime`) and never blocks it. Checks run on the global pool.
public actor Poller<S: Store, C: Reconciler>: Service where C.R == S.R, C.Change == S.Change {
    /// Claims without a settle from which on the row is not asked about, but goes to people.
    static var poisonClaimCount: Int { 6 }
    static var heartbeatInterval: Duration { .seconds(10) }
    /// A lane on hold is asked for again after so long, for a person may have ended the hold.
    static var holdInterval: Duration { .seconds(15) }

    /// A round under way, with the rows that it settles.
    struct Trip {
        var round: PollLoop.Round
        /// Where the claim starts in each of its lanes.
        var starts: [LaneBounds<S.R.ID>.Start]
        var settling: [Holding<S.R, S.Change>]
    }

    /// Checks under way that share a scope.
    struct Running {
        var scope: CheckScope
        var tokens: [Int64]
        var left: Int
    }

    nonisolated let configuration: PollerConfiguration
    nonisolated let store: S
    nonisolated let reconciler: C
    nonisolated let observer: (any PollerObserver)?
    nonisolated let runtime: PollerRuntime
    nonisolated let mailbox = Mailbox<S.R, S.Change>()
    let logger: Logger
    let laneIndices: [String: Int]
    let cadences: [Cadence]

    var random: AnyRandom
    var loop: PollLoop
    /// Where claims start, by lane.
    var bounds: [LaneBounds<S.R.ID>]
    var guards: [LaneGuard<S.R.ID>]
    var pauses: [LanePause?]
    var holds: [Moment?]
    var held: [Int64: Holding<S.R, S.Change>] = [:]
    var ready: [Holding<S.R, S.Change>] = []
    var trips: [Int: Trip] = [:]
    var scopes: [Int: Running] = [:]
    var scopeCount = 0
    var runningByLane: [Int]
    /// Rows kept for a while before they are given back.
    var coolingByLane: [Int]
    /// The suspect that is held in each lane, by its token.
    var suspects: [Int64?]
    var timers = Heap<PollerTimer>()
    var alarms: [Moment] = []
    var handBacks: [HeldLease<S.R.ID>] = []
    var renewals: [Int64] = []
    /// Calls to the store under way, exchanges apart.
    var callCount = 0
    /// The database's clock as a claim saw it last, with the moment at which that claim was sent.
    var databaseClock: (timestamp: Timestamp, moment: Moment)?
    var registrationFailureCount = 0
    var isRegistered = false
    var isOutageLogged = false
    var isDraining = false
    var isLeaving = false
    var fault: StoreError?

    /// - Parameters:
    ///   - configuration: validated where it was read; a concurrency, a batch or a lease of nothing traps.
    ///   - observer: told what happens, for metrics.
    public init(
        configuration: PollerConfiguration, store: S, reconciler: C, observer: (any PollerObserver)? = nil,
        logger: Logger, runtime: PollerRuntime = .ownThread()
    ) {
        precondition(configuration.concurrency > 0, "a poller's concurrency is above zero")
        precondition(configuration.batch > 0, "a poller's batch is above zero")
        precondition(configuration.lease > .zero, "a poller's lease is above zero")
        let names = configuration.lanes.map(\.name)
        precondition(Set(names).count == names.count, "a watch's lanes have names of their own")
        self.configuration = configuration
        self.store = store
        self.reconciler = reconciler
        self.observer = observer
        self.runtime = runtime
        var logger = logger
        logger[metadataKey: "watch"] = "\(configuration.watch)"
        self.logger = logger
        laneIndices = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        cadences = configuration.lanes.map { Cadence($0.cadence) }
        random = AnyRandom(runtime.random)
        loop = PollLoop(configuration)
        bounds = configuration.lanes.map { _ in LaneBounds() }
        guards = configuration.lanes.map { _ in LaneGuard() }
        pauses = configuration.lanes.map { _ in nil }
        holds = configuration.lanes.map { _ in nil }
        suspects = configuration.lanes.map { _ in nil }
        runningByLane = configuration.lanes.map { _ in 0 }
        coolingByLane = configuration.lanes.map { _ in 0 }
    }

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe runtime.executor.asUnownedSerialExecutor()
    }

    nonisolated var timekeeper: any Timekeeper { runtime.timekeeper }

    public func run() async throws {
        let mailbox = mailbox
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    await work(in: &group)
                    group.cancelAll()
                }
            } onGracefulShutdown: {
                mailbox.post { $0.isStopped = true }
            }
        } onCancel: {
            mailbox.post { $0.isCancelled = true }
        }
        observer?.inFlight(watch: configuration.watch, count: 0)
        if let fault { throw fault }
    }

    private func work(in group: inout DiscardingTaskGroup) async {
        listen(in: &group)
        register(in: &group)
        while true {
            let now = timekeeper.now()
            fireTimers(now: now, in: &group)
            let wake = act(now: now, in: &group)
            if isDone { break }
            setAlarm(at: wake, now: now, in: &group)
            await mailbox.wait()
            read(mailbox.take(), in: &group)
        }
        await leave()
    }

    /// Starts what there is to do, and says when there will be more.
    private func act(now: Moment, in group: inout DiscardingTaskGroup) -> Moment {
        var wake = Moment.distantFuture
        if isRegistered && !isLeaving {
            deciding: while true {
                switch loop.next(now: now, load: load) {
                case .exchange(let round): exchange(round, in: &group)
                case .wait(let until):
                    wake = until
                    break deciding
                }
            }
        }
        flushHandBacks(in: &group)
        flushRenewals(in: &group)
        observer?.inFlight(watch: configuration.watch, count: runningByLane.reduce(0, +))
        return min(wake, timers.min?.moment ?? .distantFuture)
    }

    private var load: PollLoop.Load {
        PollLoop.Load(
            running: runningByLane, cooling: coolingByLane, held: held.count, ready: ready.count,
            readySince: ready.first?.readyAt,
            holdsSuspect: suspects.map { $0 != nil })
    }

    private var isDone: Bool {
        if isLeaving { return trips.isEmpty && (callCount == 0 || Task.isCancelled) }
        return isDraining && held.isEmpty && trips.isEmpty && callCount == 0 && handBacks.isEmpty
    }

    private func read(_ letters: Mailbox<S.R, S.Change>.Letters, in group: inout DiscardingTaskGroup) {
        let now = timekeeper.now()
        callCount -= letters.endedCallCount
        if letters.isCancelled { leaveAtOnce() }
        if letters.isStopped { drain(now: now) }
        if let registered = letters.registered { finishRegistering(registered, now: now) }
        for letter in letters.concluded { finishCheck(letter, now: now, in: &group) }
        for letter in letters.exchanged { finishExchange(letter, now: now, in: &group) }
        for letter in letters.renewed { finishRenewal(letter, now: now) }
        for lane in letters.failedLanes { guards[lane].forget() }
        for lane in letters.probedLanes { loop.leftBehind(lane: lane, now: now) }
        wakeUp(letters.wokenLanes, letters.dueFrom, now: now)
    }

    private func wakeUp(_ lanes: Set<String?>, _ dueFrom: [String?: Timestamp], now: Moment) {
        guard !lanes.isEmpty || !dueFrom.isEmpty else { return }
        for index in bounds.indices {
            let names = [nil, loop.lanes[index].name]
            if let lowest = names.compactMap({ dueFrom[$0] }).min() {
                loop.wokenUp(lane: index, now: bounds[index].wokenUp(dueFrom: lowest, now: now))
            }
            guard !lanes.isDisjoint(with: names) else { continue }
            if let databaseNow = databaseNow(at: now) {
                bounds[index].wokenUp(now: databaseNow)
            } else {
                bounds[index].reset()
            }
            loop.wokenUp(lane: index, now: now)
        }
    }

    /// The database's clock at that moment, once a claim has told it.
    func databaseNow(at moment: Moment) -> Timestamp? {
        databaseClock.map { $0.timestamp + (moment - $0.moment) }
    }
}
