import Synchronization
import Testing
import Timeline

@testable import Reconciling

/// What a poller does in a lane whose configuration is wrong, or in one that one row makes look so.
@Suite struct PollerConfigurationTests {
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
}
