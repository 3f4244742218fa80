import Foundation
import Logging
import Postgres
import Schema
import TestSupport
import Testing

/// The real binary against a real PostgreSQL while everything around it fails. The gateway knows the truth, and at the end
/// the database must tell the same story: every order where its truth says, each changed once, each change proved.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FaultTests {
    @Test func pollersKilledInMidCheckLoseNothingAndFixNothingTwice() async throws {
        try await withScene(orders: 150, latency: .milliseconds(150)) { scene in
            var pollers = [try scene.startPoller(), try scene.startPoller()]
            for round in 0..<5 {
                try await eventually("checks are under way") { try await scene.leasedCount() > 0 }
                pollers[round % 2].kill9()
                pollers[round % 2] = try scene.startPoller()
            }
            try await scene.everyOrderIsWhereItsTruthSays()
            for poller in pollers { try scene.stop(poller) }
        }
    }

    @Test func aPollerFrozenPastItsLeaseChangesNothingWhenItThaws() async throws {
        try await withScene(orders: 40, latency: .milliseconds(800)) { scene in
            let frozen = try scene.startPoller()
            try await eventually("every order is under check") { try await scene.leasedCount() == 40 }
            frozen.send(SIGSTOP)
            try await eventually("the leases lapse") { try await scene.leasedCount() == 0 }
            let heir = try scene.startPoller()
            try await scene.everyOrderIsWhereItsTruthSays()
            let before = try await scene.ledger()
            frozen.send(SIGCONT)
            // It is back when it has done a full round: its heartbeat or an order that only it can have checked.
            try await scene.add(id: "after-thaw", .init(status: "paid", amount: 77))
            heir.send(SIGSTOP)
            try await scene.everyOrderIsWhereItsTruthSays()
            heir.send(SIGCONT)
            let after = try await scene.ledger()
            #expect(after.filter { !$0.contains("after-thaw") } == before)
            try scene.stop(frozen)
            try scene.stop(heir)
        }
    }

    @Test func terminatedBackendsAreReplaced() async throws {
        try await withScene(orders: 150, latency: .milliseconds(50)) { scene in
            let pollers = [try scene.startPoller(), try scene.startPoller()]
            for _ in 0..<8 {
                try await eventually("a poller is connected") { try await scene.terminateBackends() > 0 }
            }
            try await scene.everyOrderIsWhereItsTruthSays()
            for poller in pollers { try scene.stop(poller) }
        }
    }

    @Test func aWebhookThatRacesEverySettleIsNeverOverwritten() async throws {
        try await withScene(orders: 200, latency: .milliseconds(100)) { scene in
            let pollers = [try scene.startPoller(), try scene.startPoller()]
            // The application decides about every order that is under check right now, over and over.
            var written = 0
            try await eventually("the application has raced every poller") {
                written += try await scene.raceWebhooks()
                return written >= 60
            }
            try await scene.everyOrderIsWhereItsTruthSays()
            #expect(try await scene.count("SELECT count(*) FROM reconciled.history WHERE verdict = 'overtaken'") > 0)
            for poller in pollers { try scene.stop(poller) }
        }
    }

    @Test func worksThroughPgBouncerInTransactionMode() async throws {
        try await withTestDatabase { database in
            try await withScene(orders: 150, latency: .milliseconds(20), in: database) { scene in
                try await withPgBouncer(before: database) { url in
                    let pollers = [try scene.startPoller(through: url), try scene.startPoller(through: url)]
                    try await scene.everyOrderIsWhereItsTruthSays()
                    for poller in pollers { try scene.stop(poller) }
                }
            }
        }
    }

    @Test func sigtermFinishesWhatRunsAndLeavesNoLease() async throws {
        try await withScene(orders: 60, latency: .milliseconds(300)) { scene in
            let poller = try scene.startPoller()
            try await eventually("questions are being asked") { scene.gateway.callCountTotal > 0 }
            try scene.stop(poller)
            #expect(try await scene.count("SELECT count(*) FROM reconciled.orders WHERE lease_token IS NOT NULL") == 0)
            let settled = try await scene.count("SELECT count(*) FROM reconciled.history")
            #expect(settled > 0)
        }
    }

    @Test func survivesRestartsOfPostgres() async throws {
        try await withPrivateServer { server in
            let pool = PostgresPool(
                configuration: PostgresConfiguration(url: server.url, applicationName: "test"), size: 2,
                logger: Logger(label: "test"))
            try await Migrator(pool: pool, logger: Logger(label: "test")).migrate()
            try await withScene(orders: 200, latency: .milliseconds(100), url: server.url, pool: pool) { scene in
                let pollers = [try scene.startPoller(), try scene.startPoller()]
                for _ in 0..<2 {
                    try await eventually("checks are under way") { try await scene.leasedCount() > 0 }
                    let before = try await scene.serverStart()
                    server.restart()
                    try await eventually("the server is back", within: .seconds(30)) {
                        // Refused while it restarts.
                        do { return try await scene.serverStart() > before } catch { return false }
                    }
                }
                try await scene.everyOrderIsWhereItsTruthSays()
                for poller in pollers { try scene.stop(poller) }
            }
            await pool.close()
        }
    }
}
