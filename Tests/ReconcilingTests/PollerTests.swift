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

    /// Long below the place that claims have come to, and long before they begin at the bottom again.
    @Test func aRowThatIsDueSinceLongAgoIsFoundByItsNotification() async throws {
        var watch = Scenario.watch()
        watch.sweep = .seconds(600)
        let scenario = Scenario(watch) { _, _, _ in Scenario.paid }
        scenario.insert("first")
        try await scenario.run { scenario in
            scenario.advance(by: .seconds(3))
            for (number, age) in [1, 30, 3_000, 1, 100_000].enumerated() {
                let id = "r\(number)"
                // They come seldom; those that come often wait for one another.
                scenario.advance(by: .seconds(2))
                scenario.insert(id, dueIn: .seconds(-age))
                scenario.database.notify(lane: "a", dueFrom: scenario.row(id).nextCheckAt)
                #expect(scenario.advance(atMost: .milliseconds(100)) { scenario.row(id).status == "paid" }, "\(age) s")
            }
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

    /// What the gateway asked for was a mistake.
    @Test func aHoldThatAPersonEndsIsOver() async throws {
        let scenario = Scenario(Scenario.watch(concurrency: 1)) { claim, _, _ in
            guard claim.checkCount > 1 else {
                let seconds = claim.checkCount == 0 ? 3_600 : 100
                return Conclusion(.failed, next: .after(.zero), laneSignal: .failed(retryAfter: .seconds(seconds)))
            }
            return Scenario.paid
        }
        scenario.insert("r1")
        try await scenario.run { scenario in
            scenario.advance(by: .seconds(60))
            #expect(scenario.row("r1").checkCount == 1)
            scenario.database.perform { table, _ in table.lanes["a"]?.holdUntil = nil }
            #expect(scenario.advance(atMost: .seconds(20)) { scenario.row("r1").checkCount == 2 })
            // What it asks for next holds again.
            scenario.advance(by: .seconds(95))
            #expect(scenario.row("r1").checkCount == 2)
            #expect(scenario.advance(atMost: .seconds(10)) { scenario.row("r1").status == "paid" })
        }.get()
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
