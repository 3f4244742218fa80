import ArgumentParser
import Outgoing
import Payments
import Postgres
import PostgresStore
import Reconciling
import Timeline

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Ask about one row now, and do what a poller would do.",
        discussion: "A row that a poller is checking at this moment is left to it.")

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var target: WatchArgument

    @Argument(help: "The row's id.")
    var id: String

    @Flag(help: "Ask and say what would be done; change nothing, here or at the gateway.")
    var dryRun = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let report = try await database.withSession { session in
            let http = OutgoingClient(connectionsPerHostMax: 1)
            do {
                let report = try await check(session, http)
                try await http.shutdown()
                return report
            } catch {
                try await http.shutdown()
                throw error
            }
        }
        report.write(asJSON: json)
    }

    private func check(_ session: DatabaseSession, _ http: OutgoingClient) async throws -> CheckReport {
        let poller = PollerIdentity(version: ProgramVersion.text)
        let lease = session.configuration.watches.orders.lease
        let sentAt = Moment.now
        let claimed =
            dryRun
            ? try await session.orders.read(id) : try await session.orders.claim(id, poller: poller, lease: lease)
        guard let claim = claimed else {
            guard try await session.orders.show(id) != nil else { throw CommandFailure.noOrder(id) }
            throw CommandFailure("a poller is checking the order at this moment")
        }
        let store = PostgresStore<OrderTable>(
            pool: session.pool, listener: nil, poller: poller,
            recordsChecks: session.configuration.watches.orders.record == .all, logger: session.logger)
        guard var gateway = session.configuration.gateways.first(where: { $0.name == claim.row.gateway }) else {
            if !dryRun {
                let held = HeldLease(id: claim.row.id, lane: claim.row.lane, lease: claim.lease)
                try await store.handBack([held])
            }
            throw CommandFailure(
                "no gateway \(JSONText.quoted(claim.row.gateway)) is configured", code: CommandFailure.badConfiguration)
        }
        // A dry run of the policy says what it would do, and asks the gateway for nothing but the order.
        gateway.policy.isDryRun = gateway.policy.isDryRun || dryRun
        let check = try await reconcileOnce(
            claim, sentAt: sentAt, lease: lease, lane: gateway.lane, store: store,
            reconciler: OrderReconciler(gateways: [gateway], http: http), isDryRun: dryRun)
        return CheckReport(order: claim.row, check: check, isDryRun: gateway.policy.isDryRun)
    }
}
