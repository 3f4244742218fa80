import Logging
import Timeline

extension Poller {
    /// Wakes the poller at `moment`, unless it is woken sooner anyway.
    func setAlarm(at moment: Moment, now: Moment, in group: inout DiscardingTaskGroup) {
        alarms.removeAll { $0 <= now }
        guard moment != .distantFuture else { return }
        if let next = alarms.last, next <= moment { return }
        alarms.append(moment)
        let (timekeeper, mailbox) = (timekeeper, mailbox)
        group.addTask(executorPreference: runtime.executor) {
            do { try await timekeeper.sleep(until: moment) } catch { return }
            mailbox.ring()
        }
    }

    func fireTimers(now: Moment, in group: inout DiscardingTaskGroup) {
        while let timer = timers.min, timer.moment <= now {
            timers.removeMin()
            switch timer.kind {
            case .deadline(let scope): reachDeadline(scope: scope, now: now)
            case .abandon(let scope): abandon(scope: scope, now: now)
            case .renew(let token): if held[token] != nil { renewals.append(token) }
            case .retry(let token): retry(token: token, now: now)
            case .handBack(let token): if let holding = held[token] { handBack(holding, now: now) }
            case .register: register(in: &group)
            case .graceEnd: if !isLeaving { leaveAtOnce() }
            }
        }
    }

    private func reachDeadline(scope id: Int, now: Moment) {
        guard let running = scopes[id] else { return }
        // A renewed lease moves the end; if it cannot be renewed the check is cancelled before the lease lapses.
        let leaseEnd = running.tokens.compactMap { held[$0]?.leaseEnd }.min()
        let end = min(running.scope.deadline, leaseEnd.map { $0 - leaseMargin } ?? .distantFuture)
        guard now >= end else {
            return timers.insert(PollerTimer(moment: end, kind: .deadline(scope: id)))
        }
        running.scope.cancel()
        timers.insert(PollerTimer(moment: now + leaseMargin / 2, kind: .abandon(scope: id)))
    }

    /// The checks were cancelled and did not conclude in time: the engine concludes for them while it still may. Their
    /// slots stay taken until they return.
    private func abandon(scope id: Int, now: Moment) {
        guard let running = scopes[id] else { return }
        running.scope.setLeaseEnd(now)
        let timeout = configuration.lanes[running.scope.lane].timeout
        let text = "timed out after \(timeout.text)"
        for token in running.tokens {
            guard let holding = held[token], holding.stage == .checking else { continue }
            logger.warning("check did not end at its deadline", metadata: metadata(of: holding))
            let conclusion = Conclusion<S.Change>.failed(
                holding.claim, error: text, laneSignal: .failed(retryAfter: nil))
            conclude(holding, conclusion, duration: now - running.scope.sentAt, now: now)
        }
    }

    private func retry(token: Int64, now: Moment) {
        guard let holding = held[token], holding.stage == .locked else { return }
        holding.stage = .ready
        holding.readyAt = now
        ready.append(holding)
    }

    // MARK: Renewal

    /// Renews the lease at a third of it, from now until the row is released.
    func renewFromNowOn(_ holding: Holding<S.R, S.Change>, now: Moment) {
        guard !holding.isRenewed else { return }
        holding.isRenewed = true
        scheduleRenewal(of: holding, now: now)
    }

    private func scheduleRenewal(of holding: Holding<S.R, S.Change>, now: Moment) {
        let third = holding.leaseEnd - configuration.lease * 2 / 3
        timers.insert(PollerTimer(moment: max(now, third), kind: .renew(token: holding.claim.lease.token)))
    }

    func flushRenewals(in group: inout DiscardingTaskGroup) {
        guard !renewals.isEmpty else { return }
        let tokens = renewals
        let leases = tokens.compactMap { held[$0]?.held }
        renewals = []
        guard !leases.isEmpty else { return }
        let sentAt = timekeeper.now()
        let (store, mailbox, lease) = (store, mailbox, configuration.lease)
        callCount += 1
        group.addTask(executorPreference: runtime.executor) {
            let result: Result<Set<Int64>, StoreError>
            do { result = .success(try await store.renew(leases, for: lease)) } catch {
                result = .failure(StoreError(error))
            }
            mailbox.post {
                $0.endedCallCount += 1
                $0.renewed.append(.init(tokens: tokens, sentAt: sentAt, result: result))
            }
        }
    }

    func finishRenewal(_ letter: Mailbox<S.R, S.Change>.Renewed, now: Moment) {
        for token in letter.tokens {
            guard let holding = held[token] else { continue }
            switch letter.result {
            case .success(let kept) where kept.contains(token):
                holding.missedRenewalCount = 0
                holding.leaseEnd = letter.sentAt + configuration.lease
                if holding.stage == .checking { holding.scope.setLeaseEnd(holding.leaseEnd) }
                scheduleRenewal(of: holding, now: now)
            case .success where holding.missedRenewalCount == 0 || holding.stage != .checking:
                // The application may just hold the row's lock: a store does not wait for it. What is only to be
                // written needs no certainty: the fence tells when it gets there.
                holding.missedRenewalCount = 1
                timers.insert(PollerTimer(moment: now + configuration.lease / 12, kind: .renew(token: token)))
            case .success:
                logger.info("lease lost; its check is cancelled", metadata: metadata(of: holding))
                holding.scope.setLeaseEnd(now)
                holding.scope.cancel()
                release(holding, now: now)
            case .failure(let error):
                logger.debug("lease not renewed", metadata: ["error": "\(error)"])
                timers.insert(PollerTimer(moment: now + configuration.lease / 12, kind: .renew(token: token)))
            }
        }
    }
}
