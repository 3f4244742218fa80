import Synchronization
import Testing
import Timeline

@testable import Reconciling

/// What a poller does in one situation after another, in virtual time.
@Suite struct PollerTests {
    @Test func aDueRowIsSettledAndAnIdlePollerIsQuiet() async throws {
        let scenario = Scenario(Scenario.watch()) { _, _, _ in Scenario.paid }
        scenario.insert("r1")
        let result = await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("r1").status == "paid" })
            let before = scenario.database.statementCount
            scenario.advance(by: .seconds(200))
            // An exchange without settlements and the heartbeat; the simulated exchange counts its halves one by one.
            #expect(scenario.database.statementCount - before <= 2 * 200)
        }
        try result.get()
        #expect(scenario.observer.seen.verdicts == [.settled])
    }

    @Test func rowsStartWhenTheyFallDue() async throws {
        let scenario = Scenario(Scenario.watch(concurrency: 64, batch: 50)) { _, _, _ in Scenario.paid }
        for number in 0..<300 { scenario.insert("r\(number)", dueIn: .milliseconds(500 + 10 * number)) }
        try await scenario.run { $0.advance(by: .seconds(5)) }.get()
        let latenesses = scenario.observer.seen.latenesses["a"] ?? []
        #expect(latenesses.count == 300)
        // Two trips of at most 6 ms each: the one that is under way, and the claim.
        #expect(latenesses.allSatisfy { $0 >= .zero && $0 < .milliseconds(20) })
    }

    @Test func aNudgeIsHeardWithinMilliseconds() async throws {
        let scenario = Scenario(Scenario.watch()) { claim, _, _ in
            claim.checkCount == 0 ? Conclusion(.recheck, next: .after(.seconds(3_600))) : Scenario.paid
        }
        scenario.insert("r1")
        try await scenario.run { scenario in
            scenario.advance(by: .seconds(3))
            #expect(scenario.row("r1").checkCount == 1)
            scenario.database.perform { table, now in table.rows["r1"]?.nextCheckAt = now }
            scenario.database.notify(lane: "a")
            #expect(scenario.advance(atMost: .milliseconds(40)) { scenario.row("r1").status == "paid" })
        }.get()
    }

    /// Nobody tells of it again when the check ends, and by then it is due long below what was claimed meanwhile.
    @Test func aRowThatWasNudgedDuringItsCheckIsNotLeftToTheSweep() async throws {
        let scenario = Scenario(Scenario.watch()) { claim, _, simulation in
            guard claim.row.id == "r1", claim.checkCount == 0 else { return Scenario.paid }
            await simulation.sleepThrough(.seconds(4))
            return Conclusion(.recheck, next: .after(.seconds(3_600)))
        }
        scenario.insert("r1")
        scenario.insert("r2", dueIn: .milliseconds(3_900))
        try await scenario.run { scenario in
            scenario.advance(by: .milliseconds(500))
            scenario.database.perform { table, now in table.rows["r1"]?.nextCheckAt = now }
            scenario.database.notify(lane: "a")
            #expect(scenario.advance(atMost: .seconds(10)) { scenario.row("r1").checkCount == 1 })
            #expect(scenario.row("r2").status == "paid")
            #expect(scenario.advance(atMost: .milliseconds(100)) { scenario.row("r1").status == "paid" })
        }.get()
    }

    @Test func aLostNotificationIsMadeUpForByTheSweep() async throws {
        let scenario = Scenario(Scenario.watch()) { _, _, _ in Scenario.paid }
        try await scenario.run { scenario in
            for number in 0..<5 {
                scenario.insert("r\(number)", dueIn: .seconds(-100 * number))
                #expect(
                    scenario.advance(atMost: .seconds(5) + .milliseconds(50)) {
                        scenario.row("r\(number)").status == "paid"
                    })
            }
        }.get()
    }

    @Test func aCheckThatIgnoresItsDeadlineFailsInTime() async throws {
        let scenario = Scenario(Scenario.watch()) { _, _, simulation in
            await simulation.sleepThrough(.seconds(60))
            return Scenario.paid
        }
        scenario.insert("r1")
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(10)) { scenario.row("r1").failureCount == 1 })
        }.get()
        #expect(scenario.row("r1").lastError == "timed out after 5s")
        #expect(scenario.row("r1").status == "pending")
    }

    @Test func aCheckIsCancelledAtItsDeadlineAndConcludesItself() async throws {
        let scenario = Scenario(Scenario.watch()) { _, _, simulation in
            do { try await simulation.sleep(for: .seconds(60)) } catch {
                return Conclusion(.failed, next: .backoff, error: "gave up")
            }
            return Scenario.paid
        }
        scenario.insert("r1")
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(6)) { scenario.row("r1").failureCount == 1 })
        }.get()
        #expect(scenario.row("r1").lastError == "gave up")
    }

    @Test func aLongCheckOutlivesItsLeaseByRenewals() async throws {
        let lanes = [LaneConfiguration(name: "a", timeout: .seconds(300))]
        let scenario = Scenario(Scenario.watch(lanes: lanes)) { _, _, simulation in
            await simulation.sleepThrough(.seconds(100))
            return Scenario.paid
        }
        scenario.insert("r1")
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(102)) { scenario.row("r1").status == "paid" })
        }.get()
        let claims = scenario.database.inspect { table in
            table.log.count { if case .claimed = $0.kind { true } else { false } }
        }
        #expect(claims == 1)
    }

    @Test func aLostLeaseCancelsItsCheckAndDropsTheConclusion() async throws {
        let isCancelled = Mutex(false)
        let lanes = [LaneConfiguration(name: "a", timeout: .seconds(300))]
        let scenario = Scenario(Scenario.watch(lanes: lanes)) { _, context, simulation in
            do { try await simulation.sleep(for: .seconds(100)) } catch {
                isCancelled.withLock { $0 = context.leaseRemaining() == .zero }
            }
            return Scenario.paid
        }
        scenario.insert("r1")
        try await scenario.run { scenario in
            scenario.advance(by: .seconds(2))
            scenario.database.perform { table, now in
                table.rows["r1"]?.leasedBy = "another"
                table.rows["r1"]?.leaseExpiresAt = now + .seconds(1_000)
            }
            #expect(scenario.advance(atMost: .seconds(18)) { isCancelled.withLock { $0 } })
        }.get()
        #expect(scenario.row("r1").status == "pending")
    }

    @Test func aLockedRowIsTriedAgainUntilItIsFree() async throws {
        let scenario = Scenario(Scenario.watch()) { claim, _, _ in Scenario.paid }
        scenario.insert("r1", dueIn: .seconds(1))
        scenario.insert("r2", dueIn: .seconds(1))
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(2)) { scenario.row("r1").leaseToken != nil })
            scenario.database.perform { table, _ in table.rows["r1"]?.isLocked = true }
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("r2").status == "paid" })
            scenario.advance(by: .seconds(9))
            #expect(scenario.row("r1").status == "pending")
            scenario.database.perform { table, _ in table.rows["r1"]?.isLocked = false }
            #expect(scenario.advance(atMost: .seconds(3)) { scenario.row("r1").status == "paid" })
        }.get()
        #expect(scenario.row("r1").checkCount == 1)
    }

    @Test func aRefusedConclusionIsReplacedAndThenBacksOff() async throws {
        let scenario = Scenario(Scenario.watch()) { claim, _, _ in
            var conclusion = Scenario.paid
            conclusion.change?.isRefused = true
            conclusion.reason = claim.row.id == "r2" ? "HOPELESS" : nil
            return conclusion
        }
        scenario.insert("r1")
        scenario.insert("r2")
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("r1").status == "review" })
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("r2").failureCount > 0 })
        }.get()
        #expect(scenario.row("r2").status == "pending")
        #expect(scenario.row("r2").lastError == "The database refused to write the result (txn): duplicate")
    }

    @Test func aPoisonedRowIsNotAskedAbout() async throws {
        let asked = Mutex(0)
        let scenario = Scenario(Scenario.watch()) { _, _, _ in
            asked.withLock { $0 += 1 }
            return Scenario.paid
        }
        scenario.insert("r1", claimCount: 5)
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("r1").status == "review" })
        }.get()
        #expect(asked.withLock { $0 } == 0)
    }

    @Test func suspectsAreCheckedOneAtATime() async throws {
        let running = Mutex((now: 0, most: 0))
        let scenario = Scenario(Scenario.watch()) { claim, _, simulation in
            if claim.claimCount > 3 {
                running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            }
            await simulation.sleepThrough(.milliseconds(300))
            if claim.claimCount > 3 { running.withLock { $0.now -= 1 } }
            return Scenario.paid
        }
        for number in 0..<8 { scenario.insert("r\(number)", claimCount: number < 4 ? 3 : 0) }
        try await scenario.run { scenario in
            #expect(
                scenario.advance(atMost: .seconds(4)) {
                    (0..<8).allSatisfy { scenario.row("r\($0)").status == "paid" }
                })
        }.get()
        #expect(running.withLock { $0.most } == 1)
    }

    @Test func aSuspectKeepsNoOtherLaneWaiting() async throws {
        let lanes = [LaneConfiguration(name: "a"), LaneConfiguration(name: "b")]
        let scenario = Scenario(Scenario.watch(lanes: lanes)) { claim, _, simulation in
            if claim.row.lane == "a" { await simulation.sleepThrough(.seconds(9)) }
            return Scenario.paid
        }
        scenario.insert("a1", claimCount: 3)
        scenario.insert("a2", claimCount: 3)
        for number in 0..<4 { scenario.insert("b\(number)", lane: "b", claimCount: number < 2 ? 3 : 0) }
        try await scenario.run { scenario in
            #expect(
                scenario.advance(atMost: .seconds(1)) { (0..<4).allSatisfy { scenario.row("b\($0)").status == "paid" } }
            )
            #expect(scenario.row("a1").leaseToken != nil)
            #expect(scenario.row("a2").leaseToken == nil)
        }.get()
    }

    @Test func aRowIsASuspectFromItsFourthClaimOn() async throws {
        let scenario = Scenario(Scenario.watch()) { claim, _, simulation in
            if claim.row.id == "third" { await simulation.sleepThrough(.seconds(4)) }
            return Scenario.paid
        }
        scenario.insert("third", claimCount: 2)
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("third").leaseToken != nil })
            scenario.insert("fourth", claimCount: 3)
            // The third claim of a row stands in no other's way.
            #expect(scenario.advance(atMost: .seconds(2)) { scenario.row("fourth").status == "paid" })
            #expect(scenario.row("third").status == "pending")
        }.get()
    }

    @Test func wrongConfigurationPausesTheLaneAndItsFirstAnswerEndsThat() async throws {
        let isFixed = Mutex(false)
        let asked = Mutex(0)
        let probed = Mutex(0)
        let scenario = Scenario(Scenario.watch()) { _, context, _ in
            asked.withLock { $0 += 1 }
            if context.isProbe { probed.withLock { $0 += 1 } }
            return isFixed.withLock { $0 }
                ? Scenario.paid : Conclusion(.failed, next: .handBack, laneSignal: .misconfigured("401"))
        }
        for number in 0..<20 { scenario.insert("r\(number)") }
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(5)) { !scenario.observer.seen.pauses.isEmpty })
            #expect(scenario.observer.seen.pauses == [LanePause(by: nil, reason: "401")])
            let before = asked.withLock { $0 }
            #expect(before <= 12)
            #expect(probed.withLock { $0 } == 0)
            scenario.advance(by: .seconds(200))
            #expect(asked.withLock { $0 } - before <= 4)
            let probes = probed.withLock { $0 }
            #expect(probes == asked.withLock { $0 } - before && probes > 0)
            // A probe is handed back a little later.
            #expect(
                scenario.advance(atMost: .seconds(7)) {
                    (0..<20).allSatisfy { scenario.row("r\($0)").claimCount == 0 }
                })
            isFixed.withLock { $0 = true }
            #expect(
                scenario.advance(atMost: .seconds(70)) {
                    (0..<20).allSatisfy { scenario.row("r\($0)").status == "paid" }
                })
        }.get()
        #expect(scenario.observer.seen.pauses == [LanePause(by: nil, reason: "401"), nil])
    }

    /// The lane is mended, and one of its rows will never be: it must not be the only one that is asked about.
    @Test func aLaneIsHeardAgainAlthoughItsOldestRowIsIll() async throws {
        let isFixed = Mutex(false)
        let scenario = Scenario(Scenario.watch()) { claim, _, _ in
            claim.row.id != "r00" && isFixed.withLock { $0 }
                ? Scenario.paid : Conclusion(.failed, next: .handBack, laneSignal: .misconfigured("401"))
        }
        scenario.insert("r00")
        for number in 10..<30 { scenario.insert("r\(number)") }
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(5)) { !scenario.observer.seen.pauses.isEmpty })
            isFixed.withLock { $0 = true }
            #expect(
                scenario.advance(atMost: .seconds(200)) {
                    (10..<30).allSatisfy { scenario.row("r\($0)").status == "paid" }
                })
            #expect(scenario.row("r00").status == "pending")
        }.get()
    }

    /// Below the place that the other lane's claims have come to, and long before they begin at the bottom again.
    @Test func aRowThatWasMovedToAnotherLaneDuringItsCheckIsClaimedThereAtOnce() async throws {
        var watch = Scenario.watch(lanes: ["a", "b"].map { LaneConfiguration(name: $0, timeout: .seconds(5)) })
        watch.sweep = .seconds(60)
        let scenario = Scenario(watch) { claim, _, simulation in
            guard claim.row.id == "moved", claim.row.lane == "a" else { return Scenario.paid }
            await simulation.sleepThrough(.seconds(1))
            return Conclusion(.recheck, next: .after(.seconds(900)))
        }
        scenario.insert("moved")
        scenario.insert("other", lane: "b")
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .milliseconds(500)) { scenario.row("other").status == "paid" })
            scenario.database.perform { table, now in
                table.rows["moved"]?.lane = "b"
                table.rows["moved"]?.nextCheckAt = now - .seconds(10)
            }
            #expect(scenario.advance(atMost: .seconds(3)) { scenario.row("moved").status == "paid" })
        }.get()
    }

    /// It may be leaving because its configuration was mended.
    @Test func aPollerThatLeavesPausesNoLane() async throws {
        let scenario = Scenario(Scenario.watch()) { _, _, simulation in
            await simulation.sleepThrough(.seconds(3))
            return Conclusion(.failed, next: .handBack, laneSignal: .misconfigured("401"))
        }
        for number in 0..<5 { scenario.insert("r\(number)") }
        try await scenario.run { scenario in
            #expect(
                scenario.advance(atMost: .seconds(1)) {
                    (0..<5).allSatisfy { scenario.row("r\($0)").leaseToken != nil }
                })
        }.get()
        #expect((0..<5).allSatisfy { scenario.row("r\($0)").leaseToken == nil })
        #expect(scenario.database.inspect { table in table.lanes["a"]?.pause } == nil)
    }

    @Test func aMisconfiguredRowAmongGoodOnesIsAskedAboutSeldom() async throws {
        let asked = Mutex<[Moment]>([])
        let scenario = Scenario(Scenario.watch()) { claim, _, simulation in
            await simulation.sleepThrough(.milliseconds(20))
            guard claim.row.id == "bad" else { return Conclusion(.recheck, next: .after(.milliseconds(50))) }
            asked.withLock { $0.append(simulation.now()) }
            return Conclusion(.failed, next: .handBack, laneSignal: .misconfigured("401"))
        }
        scenario.insert("bad")
        for number in 0..<3 { scenario.insert("good\(number)") }
        try await scenario.run { scenario in
            scenario.advance(by: .seconds(30))
            for number in 0..<3 { #expect(scenario.row("good\(number)").checkCount > 20) }
        }.get()
        let moments = asked.withLock { $0 }
        #expect((3...8).contains(moments.count))
        for (first, second) in zip(moments, moments.dropFirst()) { #expect(second - first >= .seconds(1)) }
        #expect(scenario.row("bad").leaseToken == nil)
        #expect(scenario.row("bad").claimCount == 0)
        // The lane never pauses for it, so that only the row can tell.
        #expect(scenario.row("bad").lastError == "401")
    }

    @Test func aMisconfiguredRowAtTheHeadOfANarrowLaneStopsNoOther() async throws {
        let lanes = [LaneConfiguration(name: "a", concurrency: 1, timeout: .seconds(5))]
        let scenario = Scenario(Scenario.watch(lanes: lanes)) { claim, _, _ in
            claim.row.id == "bad"
                ? Conclusion(.failed, next: .handBack, laneSignal: .misconfigured("401")) : Scenario.paid
        }
        scenario.insert("bad", dueIn: .seconds(-100))
        for number in 0..<10 { scenario.insert("good\(number)") }
        try await scenario.run { scenario in
            #expect(
                scenario.advance(atMost: .seconds(5)) {
                    (0..<10).allSatisfy { scenario.row("good\($0)").status == "paid" }
                })
        }.get()
        #expect(scenario.observer.seen.pauses.isEmpty)
    }

    @Test func aNarrowLaneWithWrongConfigurationPausesItself() async throws {
        let lanes = [LaneConfiguration(name: "a", concurrency: 1, timeout: .seconds(5))]
        let scenario = Scenario(Scenario.watch(lanes: lanes)) { _, _, _ in
            Conclusion(.failed, next: .handBack, laneSignal: .misconfigured("401"))
        }
        for number in 0..<10 { scenario.insert("r\(number)") }
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(10)) { !scenario.observer.seen.pauses.isEmpty })
        }.get()
    }

    @Test func shutdownHandsMisconfiguredRowsBackAtOnce() async throws {
        let scenario = Scenario(Scenario.watch()) { _, _, simulation in
            await simulation.sleepThrough(.milliseconds(10))
            return Conclusion(.failed, next: .handBack, laneSignal: .misconfigured("401"))
        }
        scenario.insert("r1")
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("r1").leaseToken != nil })
            scenario.advance(by: .milliseconds(500))
            #expect(scenario.row("r1").leaseToken != nil)
            scenario.stop()
            #expect(scenario.advance(atMost: .milliseconds(500)) { scenario.isEnded })
        }.get()
        #expect(scenario.row("r1").leaseToken == nil)
        #expect(scenario.row("r1").lastError == "401")
        #expect(scenario.row("r1").claimCount == 0)
    }

    @Test func aProbeThatNeedsNoAnswerIsFollowedByTheNextAtOnce() async throws {
        let asked = Mutex(0)
        let scenario = Scenario(Scenario.watch()) { claim, _, _ in
            if claim.row.status == "paid" {
                return Conclusion(.settled, next: .rest, reason: "SETTLED", laneSignal: .silent)
            }
            asked.withLock { $0 += 1 }
            return Scenario.paid
        }
        for number in 0..<50 { scenario.insert("old\(number)", dueIn: .seconds(-100)) }
        // One that goes to people unasked, as poison does.
        scenario.insert("poison", dueIn: .seconds(-50), claimCount: 5)
        scenario.insert("open")
        scenario.database.perform { table, now in
            for number in 0..<50 { table.rows["old\(number)"]?.status = "paid" }
            table.pause("a", by: nil, reason: "401", at: now)
        }
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(5)) { scenario.row("open").status == "paid" })
            #expect(scenario.row("poison").status == "review")
        }.get()
        #expect(asked.withLock { $0 } == 1)
        #expect(scenario.observer.seen.pauses.first == LanePause(by: nil, reason: "401"))
    }

    @Test func aProbeThatIsHandedBackUnaskedIsNotRepeatedAtOnce() async throws {
        let asked = Mutex(0)
        let scenario = Scenario(Scenario.watch()) { _, _, _ in
            asked.withLock { $0 += 1 }
            return Conclusion(.failed, next: .handBack, laneSignal: .silent)
        }
        scenario.insert("r1")
        scenario.database.perform { table, now in table.pause("a", by: nil, reason: "401", at: now) }
        try await scenario.run { $0.advance(by: .seconds(50)) }.get()
        #expect(asked.withLock { $0 } == 1)
    }

    @Test func retryAfterHoldsTheLane() async throws {
        let asked = Mutex<[Moment]>([])
        let scenario = Scenario(Scenario.watch(concurrency: 1)) { _, _, simulation in
            asked.withLock { $0.append(simulation.now()) }
            return Conclusion(.failed, next: .after(.zero), laneSignal: .failed(retryAfter: .seconds(30)))
        }
        scenario.insert("r1")
        scenario.insert("r2")
        try await scenario.run { $0.advance(by: .seconds(100)) }.get()
        let moments = asked.withLock { $0 }
        #expect((3...5).contains(moments.count))
        for (first, second) in zip(moments, moments.dropFirst()) { #expect(second - first >= .seconds(29)) }
    }

    @Test func aSlowLaneDelaysNoOther() async throws {
        let lanes = [
            LaneConfiguration(name: "a", timeout: .seconds(10)), LaneConfiguration(name: "b", timeout: .seconds(10)),
        ]
        let scenario = Scenario(Scenario.watch(lanes: lanes)) { claim, _, simulation in
            if claim.row.lane == "a" { await simulation.sleepThrough(.seconds(9)) }
            return Scenario.paid
        }
        for number in 0..<100 { scenario.insert("a\(number)") }
        for number in 0..<50 { scenario.insert("b\(number)", lane: "b", dueIn: .milliseconds(1_000 + 100 * number)) }
        try await scenario.run { $0.advance(by: .seconds(8)) }.get()
        let latenesses = scenario.observer.seen.latenesses["b"] ?? []
        #expect(latenesses.count == 50)
        #expect(latenesses.allSatisfy { $0 < .milliseconds(30) })
    }

    @Test func conclusionsOutliveAnOutage() async throws {
        let scenario = Scenario(Scenario.watch()) { _, _, simulation in
            await simulation.sleepThrough(.seconds(1))
            return Scenario.paid
        }
        scenario.insert("r1")
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("r1").leaseToken != nil })
            scenario.store.setWeather(.init(isDown: true))
            scenario.advance(by: .seconds(10))
            scenario.store.setWeather(.calm)
            #expect(scenario.advance(atMost: .seconds(6)) { scenario.row("r1").status == "paid" })
        }.get()
        #expect(scenario.row("r1").checkCount == 1)
    }

    @Test func nothingIsWrittenAfterItsLease() async throws {
        let scenario = Scenario(Scenario.watch()) { _, _, _ in Scenario.paid }
        scenario.insert("r1")
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.row("r1").leaseToken != nil })
            let token = scenario.row("r1").leaseToken
            scenario.store.setWeather(.init(isDown: true))
            scenario.advance(by: .seconds(30))
            scenario.store.setWeather(.calm)
            #expect(scenario.advance(atMost: .seconds(12)) { scenario.row("r1").status == "paid" })
            let writers = scenario.database.inspect { table in table.history.map(\.token) }
            #expect(writers.count == 1)
            #expect(writers.first != token)
        }.get()
    }

    @Test func whatCannotHealIsThrown() async {
        let scenario = Scenario(Scenario.watch()) { _, _, _ in Scenario.paid }
        scenario.insert("r1")
        scenario.store.setWeather(.init(isHopeless: true))
        let result = await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(5)) { scenario.isEnded })
        }
        #expect(throws: StoreError.self) { try result.get() }
    }

    @Test func gracefulShutdownFinishesWhatItCanAndHandsTheRestBack() async throws {
        let scenario = Scenario(Scenario.watch(grace: .seconds(3))) { claim, _, simulation in
            let length = claim.row.id == "quick" ? 2 : 15
            do { try await simulation.sleep(for: .seconds(length)) } catch {
                return Conclusion(.failed, next: .backoff, error: "cancelled")
            }
            return Scenario.paid
        }
        scenario.insert("quick")
        scenario.insert("slow")
        try await scenario.run { scenario in
            #expect(scenario.advance(atMost: .seconds(1)) { scenario.observer.seen.latenesses["a"]?.count == 2 })
            scenario.insert("late")
            scenario.stop()
            #expect(scenario.advance(atMost: .seconds(4)) { scenario.isEnded })
        }.get()
        #expect(scenario.row("quick").status == "paid")
        #expect(scenario.row("slow").leaseToken == nil)
        #expect(scenario.row("slow").claimCount == 0)
        #expect(scenario.row("slow").failureCount == 0)
        #expect(scenario.row("late").claimCount == 0)
    }
}
