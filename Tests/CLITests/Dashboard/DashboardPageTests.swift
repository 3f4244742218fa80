import Foundation
import Postgres
import PostgresStore
import TestSupport
import Testing

@testable import Console
@testable import ReconciledCLI

/// What pages say when something does not work.
@Suite struct DashboardPageTests {
    private static let order = """
        INSERT INTO reconciled.orders (id, gateway, amount_minor, currency, status, next_check_at, review_reason)
        VALUES ('a/1', 'trial', 1999, 'EUR', 'review', NULL, 'GAVE_UP')
        """

    /// A name that PostgreSQL cannot take is no outage.
    @Test(arguments: [
        ("/orders/%00", 404), ("/orders/a%00b", 404), ("/orders?after=%00", 400), ("/orders?id=%00", 400),
        ("/find?q=%00", 400), ("/deliveries?after=abc", 422),
    ])
    func anAddressThatNothingCanHaveIsToldAsThat(path: String, status: UInt) async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            let reply = try await DashboardVisitor(scene).get(path)
            #expect(reply.status == status && !reply.body.contains("database"), "\(reply.status) \(reply.body)")
        }
    }

    /// An application may set the status, and say no more.
    @Test func aCaseWithoutAReasonIsToldInWords() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            try await scene.run(Self.order.replacing("NULL, 'GAVE_UP'", with: "NULL, NULL"))
            for path in ["/review", "/orders/a%2F1"] {
                let page = try await DashboardVisitor(scene).get(path)
                #expect(page.status == 200 && page.body.contains("No reason was given."), "\(path): \(page.body)")
            }
        }
    }

    @Test func whatIsNotThereLeadsToItsList() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            let reply = try await DashboardVisitor(scene).get("/orders/none")
            #expect(reply.status == 404 && reply.body.contains(#"<a href="/orders">Go back</a>"#), "\(reply.body)")
        }
    }

    private static let browser = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")]

    @Test func anAddressWhereNothingIsLeadsBrowsersToThePages() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            let visitor = DashboardVisitor(scene)
            for (path, back) in [("/nope", "/"), ("/a/b/c/d", "/"), ("/orders/x/y", "/orders/x"), ("/assets/x", "/")] {
                let reply = try await visitor.get(path, headers: Self.browser)
                #expect(reply.status == 404 && reply.type.hasPrefix("text/html"), "\(path): \(reply)")
                #expect(reply.body.contains("There is no such page.") && reply.body.contains(#"<a href="/review""#))
                #expect(reply.body.contains(#"<a href="\#(back)">Go back</a>"#), "\(reply.body)")
                #expect(reply.headers.first(name: "content-security-policy") != nil)
            }
            // Programs are answered as before.
            let programs: [(path: String, headers: [(String, String)])] = [
                ("/nope", []), ("/nope", [("accept", "*/*")]), ("/v1/nope", Self.browser),
            ]
            for (path, headers) in programs {
                let reply = try await visitor.get(path, headers: headers)
                #expect(reply.status == 404 && reply.type == "application/problem+json", "\(path): \(reply)")
            }
            let other = try await visitor.get("/v1/orders/x/nudge", headers: Self.browser)
            #expect(other.status == 405 && other.type == "application/problem+json", "\(other)")
        }
        // Where one must sign in, this tells nobody what is there.
        try await APIScene.with { scene in
            let reply = try await DashboardVisitor(scene).get("/nope", headers: Self.browser)
            #expect(reply.headers.first(name: "location") == "/sign-in?back=%2Fnope", "\(reply)")
        }
    }

    /// The browser shows an action's address when it was refused; a reload by hand asks for a page there.
    @Test(arguments: [
        ("/orders/a%2F1/resolve", "/orders/a%2F1"), ("/orders/a%2F1/nudge", "/orders/a%2F1"),
        ("/timers/x/resolve", "/timers/x"), ("/lanes/trial/pause", "/"), ("/lanes/trial/resume", "/"),
        ("/sign-out", "/"),
    ])
    func whoOpensAnActionComesToWhatItIsAbout(path: String, page: String) async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            let reply = try await DashboardVisitor(scene).get(path, headers: Self.browser)
            #expect(reply.status == 303 && reply.headers.first(name: "location") == page, "\(reply)")
        }
    }

    @Test func aTimerThatFailsIsNoGreenOne() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            try await scene.run(
                """
                INSERT INTO reconciled.timers (id, every, url, failure_count, last_status_code, last_verdict, last_error)
                VALUES ('ill', '1 hour', 'http://127.0.0.1:9/', 12, 500, 'failed', 'It broke.'),
                    ('well', '1 hour', 'http://127.0.0.1:9/', 0, 200, 'settled', NULL)
                """)
            let visitor = DashboardVisitor(scene)
            let told = "active, failing: 12 calls in a row, last answer 500"
            let list = try await visitor.get("/timers").body
            #expect(list.contains(">\(told)</td>") && list.contains(">active</td>"), "\(list)")
            let ill = try await visitor.get("/timers/ill").body
            #expect(ill.contains(#"<p class="summary bad"><strong>\#(told)</strong>"#), "\(ill)")
            // What a decision is about is the status alone.
            #expect(ill.contains(#"name="seen_status" value="active""#), "\(ill)")
            let well = try await visitor.get("/timers/well").body
            #expect(well.contains(#"<p class="summary good"><strong>active</strong>"#), "\(well)")
        }
    }

    /// A refused decision comes back on the row's page with all that was typed.
    @Test func aRefusedDecisionLosesNothing() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            try await scene.run(Self.order)
            let visitor = DashboardVisitor(scene)
            let reply = try await visitor.post(
                "/orders/a%2F1/resolve", ["status": "paid", "note": "seen on <b>paper</b>"], from: "/orders/a%2F1")
            #expect(reply.status == 422)
            #expect(reply.body.contains("The transaction is missing, and status paid needs it"), "\(reply.body)")
            #expect(reply.body.contains("seen on &lt;b&gt;paper&lt;/b&gt;</textarea>"), "\(reply.body)")
            #expect(reply.body.contains(#"<option value="paid" selected>"#), "\(reply.body)")
            #expect(reply.body.contains(#"data-page="/orders/a%2F1""#) && reply.body.contains("<details open>"))
            #expect(try await scene.values("SELECT status FROM reconciled.orders") == ["review"])
            let done = try await visitor.post(
                "/orders/a%2F1/resolve", ["status": "paid", "note": "seen", "txn": "ch_1"], from: "/orders/a%2F1")
            #expect(done.headers.first(name: "location") == "/orders/a%2F1?done=resolved")
        }
    }

    /// What a person decides is about what the page showed; by now the order may be paid.
    @Test func aDecisionAboutWhatItIsNoMoreIsRefused() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            try await scene.run(Self.order)
            let visitor = DashboardVisitor(scene)
            for page in ["/orders/a%2F1", "/review"] {
                try await scene.run("UPDATE reconciled.orders SET status = 'review', review_reason = 'GAVE_UP'")
                let hidden = DashboardVisitor.hidden(in: try await visitor.get(page).body)
                let decision = hidden.merging(["status": "closed", "note": "nobody paid"]) { $1 }
                try await scene.run("UPDATE reconciled.orders SET status = 'paid', review_reason = NULL")
                let refused = try await visitor.post("/orders/a%2F1/resolve", decision)
                #expect(refused.status == 409)
                #expect(refused.body.contains("The order has changed meanwhile: it is paid now."), "\(refused.body)")
                #expect(refused.body.contains("nobody paid</textarea>"), "\(refused.body)")
                #expect(try await scene.values("SELECT status FROM reconciled.orders") == ["paid"])
                // Another reason is another case, too.
                try await scene.run("UPDATE reconciled.orders SET status = 'review', review_reason = 'DISPUTED'")
                #expect(try await visitor.post("/orders/a%2F1/resolve", decision).status == 409)
                // The page that came back shows what it is: the same decision about that is taken.
                let again = DashboardVisitor.hidden(in: try await visitor.post("/orders/a%2F1/resolve", decision).body)
                let taken = try await visitor.post("/orders/a%2F1/resolve", decision.merging(again) { $1 })
                #expect((300..<400).contains(taken.status), "\(taken.body)")
                #expect(try await scene.values("SELECT status FROM reconciled.orders") == ["closed"])
            }
        }
    }

    /// A page from before an upgrade says nothing of what it showed: its decision is not taken for one about anything.
    @Test func aPageThatDoesNotSayWhatItShowedDecidesNothing() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            try await scene.run(Self.order)
            let visitor = DashboardVisitor(scene)
            var fields = DashboardVisitor.hidden(in: try await visitor.get("/orders/a%2F1").body)
            fields["seen_status"] = nil
            fields.merge(["status": "closed", "note": "why"]) { $1 }
            let reply = try await visitor.post("/orders/a%2F1/resolve", fields)
            #expect(reply.status == 409 && reply.body.contains("too old to decide by"), "\(reply.body)")
            #expect(try await scene.values("SELECT status FROM reconciled.orders") == ["review"])
        }
    }

    /// Whether a decision was taken is not known when the connection breaks: the page does not say that it was not.
    @Test func anActionWhoseConnectionBrokeMayHaveBeenDone() async throws {
        try await APIScene.with(yaml: DashboardVisitor.yaml) { scene in
            try await scene.run(Self.order)
            let visitor = DashboardVisitor(scene)
            let hidden = DashboardVisitor.hidden(in: try await visitor.get("/orders/a%2F1").body)
            // The connection is cut by the statement itself.
            try await scene.run(
                """
                CREATE FUNCTION reconciled.cut() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$
                """)
            try await scene.run(
                """
                CREATE TRIGGER cut BEFORE UPDATE ON reconciled.orders FOR EACH ROW EXECUTE FUNCTION reconciled.cut()
                """)
            let reply = try await visitor.post(
                "/orders/a%2F1/resolve", hidden.merging(["status": "closed", "note": "why"]) { $1 })
            #expect(reply.status == 503, "\(reply.body)")
            #expect(reply.body.contains("this may have been done, or not"), "\(reply.body)")
            #expect(reply.body.contains(#"<a href="/orders/a%2F1">Go back</a>"#), "\(reply.body)")
        }
    }
}
