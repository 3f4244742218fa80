import Logging
import Timeline

extension Poller {
    /// Notifications and heartbeats, for as long as the poller runs.
    func listen(in group: inout DiscardingTaskGroup) {
        let (store, mailbox, timekeeper, logger) = (store, mailbox, timekeeper, logger)
        group.addTask(executorPreference: runtime.executor) {
            for await wakeup in store.wakeups() { mailbox.post { $0.note(wakeup) } }
        }
        group.addTask(executorPreference: runtime.executor) {
            while !Task.isCancelled {
                do { try await store.heartbeat(stopping: false) } catch {
                    // The exchanges tell of an unreachable store; this would only say it again.
                    logger.debug("no heartbeat", metadata: ["error": "\(error)"])
                }
                do { try await timekeeper.sleep(until: timekeeper.now() + Self.heartbeatInterval) } catch { return }
            }
        }
    }

    /// Makes the lanes known to the store, however long that takes.
    func register(in group: inout DiscardingTaskGroup) {
        let (store, mailbox, lanes) = (store, mailbox, configuration.lanes.map(\.name))
        callCount += 1
        group.addTask(executorPreference: runtime.executor) {
            let result: Result<Void, StoreError>
            do { result = .success(try await store.register(lanes: lanes)) } catch {
                result = .failure(StoreError(error))
            }
            mailbox.post {
                $0.endedCallCount += 1
                $0.registered = result
            }
        }
    }

    func finishRegistering(_ result: Result<Void, StoreError>, now: Moment) {
        switch result {
        case .success:
            isRegistered = true
            logRecovery()
        case .failure(let error) where error.code == .permanent: fail(error)
        case .failure(let error):
            logOutage(error)
            registrationFailureCount += 1
            let delay = Backoff.outage.delay(failures: registrationFailureCount, using: &random)
            timers.insert(PollerTimer(moment: now + delay, kind: .register))
        }
    }

    // MARK: The end

    /// Claims no more; what runs may finish within the grace.
    func drain(now: Moment) {
        guard !isDraining else { return }
        isDraining = true
        loop.stop()
        timers.insert(PollerTimer(moment: now + configuration.grace, kind: .graceEnd))
        logger.info("stopping", metadata: ["rows": "\(held.count)"])
        let cooling = held.values.filter { $0.stage == .cooling }
        for holding in cooling.sorted(by: { $0.claim.lease.token < $1.claim.lease.token }) {
            handBack(holding, now: now)
        }
    }

    /// No retrying can heal this.
    func fail(_ error: StoreError) {
        if fault == nil {
            fault = error
            logger.error("poller stops", metadata: ["error": "\(error)"])
        }
        leaveAtOnce()
    }

    /// Cancels what runs; its rows are handed back.
    func leaveAtOnce() {
        isLeaving = true
        loop.stop()
        let now = timekeeper.now()
        // In the order of their starts: a simulation is to be repeatable.
        for (_, running) in scopes.sorted(by: { $0.key < $1.key }) {
            running.scope.setLeaseEnd(now)
            running.scope.cancel()
        }
    }

    /// Gives back what is left and says good-bye.
    ///
    /// In a cancelled task this is up to the store: one that cannot work there leaves the rows to their leases.
    func leave() async {
        let leases = handBacks + held.values.map(\.held).sorted { $0.lease.token < $1.lease.token }
        handBacks = []
        held = [:]
        ready = []
        var rest = leases[...]
        do {
            while !rest.isEmpty {
                try await store.handBack(Array(rest.prefix(configuration.batch)))
                rest = rest.dropFirst(configuration.batch)
            }
        } catch {
            logger.warning(
                "rows not handed back; left to their leases",
                metadata: ["rows": "\(rest.count)", "error": "\(error)"])
        }
        do { try await store.heartbeat(stopping: true) } catch {
            logger.debug("no last heartbeat", metadata: ["error": "\(error)"])
        }
        let runningCount = runningByLane.reduce(0, +)
        if runningCount > 0 {
            logger.warning("waiting for checks that ignore their end", metadata: ["checks": "\(runningCount)"])
        } else {
            logger.info("stopped")
        }
    }
}
