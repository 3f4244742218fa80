import Logging
import Timeline

extension Poller {
    /// What a check says about its lane.
    func heed(
        _ signal: LaneSignal, of letter: Mailbox<S.R, S.Change>.Concluded, now: Moment,
        in group: inout DiscardingTaskGroup
    ) {
        switch signal {
        case .failed(retryAfter: nil): break
        case .silent:
            // Handed back unasked, the row would come again as the next probe, as fast as that.
            if letter.conclusion.next != .handBack { probeAgain(lane: letter.lane, in: &group) }
        case .answered:
            loop.trust(lane: letter.lane, now: now)
            if let action = guards[letter.lane].answered() { perform(action, lane: letter.lane, in: &group) }
        case .failed(retryAfter: let delay?):
            holdLane(letter.lane, for: min(max(delay, .zero), LaneSignal.retryAfterMax), now: now, in: &group)
        case .misconfigured(let reason):
            loop.suspect(lane: letter.lane, now: now, using: &random)
            // Who leaves may do so because its configuration was mended: the lane is for those who stay to judge.
            guard !isDraining else { return }
            guard let row = held[letter.token]?.claim.row.id else { return }
            if let action = guards[letter.lane].misconfigured(row: row, reason: reason) {
                perform(action, lane: letter.lane, in: &group)
            }
        }
    }

    /// The probe of a lane that paused itself met a row that need not be asked about, and told nothing: the next row is
    /// asked now, not in a minute. A lane may have thousands of such rows.
    func probeAgain(lane: Int, in group: inout DiscardingTaskGroup) {
        guard guards[lane].isPaused, !isDraining, !isLeaving else { return }
        let (name, mailbox) = (loop.lanes[lane].name, mailbox)
        call("lane not probed again", lane: nil, in: &group) {
            try await $0.register(lanes: [name])
            mailbox.post { $0.probedLanes.append(lane) }
        }
    }

    private func holdLane(_ lane: Int, for delay: Duration, now: Moment, in group: inout DiscardingTaskGroup) {
        let end = now + delay
        // The store keeps the lane from being claimed until its end, or until a person ends it.
        loop.hold(lane: lane, until: now + min(delay, Self.holdInterval))
        // Every check under way may be told the same; the store is told once.
        if let known = holds[lane], end <= known + .seconds(1) { return }
        holds[lane] = end
        let name = loop.lanes[lane].name
        call("lane not put on hold", lane: nil, in: &group) { try await $0.hold(lane: name, for: delay) }
    }

    private func perform(
        _ action: LaneGuard<S.R.ID>.Action, lane: Int, in group: inout DiscardingTaskGroup
    ) {
        let name = loop.lanes[lane].name
        switch action {
        case .pause(let reason):
            logger.error(
                "lane paused: its configuration is wrong", metadata: ["lane": "\(name)", "reason": "\(reason)"])
            call("lane not paused", lane: lane, in: &group) { try await $0.pause(lane: name, reason: reason) }
        case .resume:
            logger.notice("lane resumed: it answers again", metadata: ["lane": "\(name)"])
            call("lane not resumed", lane: lane, in: &group) { try await $0.resume(lane: name) }
        }
    }

    /// What a claim saw of a lane's pause.
    func observe(pause: LanePause?, lane: Int) {
        guards[lane].observed(pausedForConfiguration: pause.map { $0.by == nil } ?? false)
        guard pause != pauses[lane] else { return }
        pauses[lane] = pause
        observer?.laneChanged(watch: configuration.watch, lane: loop.lanes[lane].name, pause: pause)
    }

    func flushHandBacks(in group: inout DiscardingTaskGroup) {
        while !handBacks.isEmpty && !isLeaving {
            let leases = Array(handBacks.prefix(configuration.batch))
            handBacks.removeFirst(leases.count)
            call("rows not handed back; left to their leases", lane: nil, in: &group) {
                try await $0.handBack(leases)
            }
        }
    }

    /// Calls the store beside the loop. What fails is logged; a lane's guard starts over if its action failed.
    private func call(
        _ failure: String, lane: Int?, in group: inout DiscardingTaskGroup,
        _ operation: @escaping @Sendable (S) async throws -> Void
    ) {
        let (store, mailbox, logger) = (store, mailbox, logger)
        callCount += 1
        group.addTask(executorPreference: runtime.executor) {
            var isFailed = false
            do { try await operation(store) } catch {
                isFailed = true
                logger.warning("\(failure)", metadata: ["error": "\(error)"])
            }
            mailbox.post { [isFailed] in
                $0.endedCallCount += 1
                if isFailed, let lane { $0.failedLanes.append(lane) }
            }
        }
    }
}
