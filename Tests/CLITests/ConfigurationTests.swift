import Foundation
import Payments
import Settings
import Testing
import Timers

@testable import ReconciledCLI

/// One wrong configuration, its line, and a part of the message.
struct WrongConfiguration: CustomTestStringConvertible {
    var yaml: String
    var line: Int?
    var message: String

    var testDescription: String { message }

    init(_ yaml: String, _ line: Int?, _ message: String) {
        self.yaml = yaml
        self.line = line
        self.message = message
    }
}

private let wrongConfigurations: [WrongConfiguration] = [
    .init("databse: {}", 1, "databse: unknown key, did you mean \"database\"?"),
    .init("database:\n  poolSize: 0", 2, "database.poolSize: 0 is out of range"),
    .init("database: { url: mysql://s3cret }", 1, "database.url: the value is not a database's address"),
    .init("database: { url: \"postgres://h/d\", urlFile: x }", 1, "database.url: urlFile is given as well"),
    .init("database: { host: h }", 1, "database.host: unknown key"),
    .init("http: { port: 70000 }", 1, "http.port: 70000 is out of range"),
    .init("http: { host: 0.0.0.0 }", 1, "http.host: \"0.0.0.0\" can be reached from other hosts"),
    .init("http: { host: \"127.0.0.1.evil.example\" }", 1, "can be reached from other hosts"),
    .init("http: { host: \"::\" }", 1, "can be reached from other hosts"),
    .init("http:\n  tokens:\n    - { name: a, token: x }", 3, "http.tokens[0].role: the key is required"),
    .init("http:\n  tokens:\n    - { name: a, role: boss, token: x }", 3, "\"boss\" is not a choice"),
    .init("http:\n  tokens:\n    - { name: a, role: admin }", 3, "http.tokens[0].token: the key is required"),
    .init(
        "http:\n  tokens:\n    - { name: a, role: admin, token: x }\n    - { name: a, role: viewer, token: y }", 2,
        "two tokens are named \"a\""),
    .init("watches:\n  order: {}", 2, "watches.order: unknown key, did you mean \"orders\"?"),
    .init("watches:\n  orders: { lease: 10 }", 2, "watches.orders.lease: \"10\" is not a duration"),
    .init("watches:\n  orders: { batch: 0 }", 2, "watches.orders.batch: 0 is out of range"),
    .init("watches:\n  uploads: { record: some }", 2, "\"some\" is not a choice; allowed: all, none"),
    .init("watches:\n  timers: { notify: yes }", 2, "\"yes\" is not a truth value"),
    .init(
        "watches:\n  timers: { allowedHosts: [\"http://x/\"] }", 2, "watches.timers.allowedHosts: an entry is no host"),
    .init("watches:\n  orders: { allowedHosts: [x] }", 2, "watches.orders.allowedHosts: unknown key"),
    .init(
        "webhooks:\n  timers: { url: \"https://h.example/\", secret: x }", 2, "already named by the timers' own lane"),
    .init("watches:\n  deliveries: { poll: 5h }", 2, "watches.deliveries.poll: 5h is out of range"),
    .init("gateways:\n  acme: { kind: htp }", 2, "gateways.acme.kind"),
    .init("gateways:\n  acme: { kind: fixed, state: PAYD }", 2, "gateways.acme.state"),
    .init(
        "gateways:\n  acme: { kind: fixed, state: PAID, delai: 1s }", 2, "delai: unknown key, did you mean \"delay\"?"),
    .init("gateways:\n  acme: { kind: stripe }", 2, "gateways.acme.secretKey"),
    .init("gateways:\n  \"a/b\": { kind: fixed, state: PAID }", 2, "is not a name"),
    .init("stores:\n  a: {}", 2, "stores.a.kind: the key is required"),
    .init("stores:\n  a: { kind: directory, chunks: /c }", 2, "stores.a.target: the key is required"),
    .init("stores:\n  a: { kind: directory, chunks: /c, target: /c }", 2, "the same directory"),
    .init("stores:\n  a: { kind: directory, chunks: /c, target: /t, pattern: \"{id}\" }", 2, "stores.a.pattern"),
    .init("stores:\n  a: { kind: directory, chunks: /c, target: /t, pattern: \"../{id}{index}\" }", 2, "pattern"),
    .init("stores:\n  a: { kind: directory, chunks: /c, target: /t, firstIndex: 2 }", 2, "firstIndex"),
    .init("stores:\n  a: { kind: directory, chunks: /c, target: /t, minFreeBytes: lots }", 2, "is not a size"),
    .init("stores:\n  a: { kind: s3, endpoint: \"ftp://x\" }", 2, "stores.a.endpoint: not the URL of a store"),
    .init("stores:\n  a: { kind: s3, endpoint: \"https://x\", bucket: b, region: r }", 2, "stores.a.accessKey"),
    .init(
        "stores:\n  a: { kind: s3, endpoint: \"https://x\", bucket: b, region: r, accessKey: k, secretKey: s3cret, timeout: 60s }",
        2, "stores.a.timeout: no upload is ever completed"),
    .init("lanes:\n  timers: { rate: fast }", 2, "\"fast\" is not a rate"),
    .init("lanes:\n  timers: { cadence: [1s] }", 2, "lanes.timers.cadence: unknown key"),
    .init("webhooks:\n  shop: { url: \"https://x/\" }", 2, "webhooks.shop.secret: the key is required"),
    .init("webhooks:\n  shop: { url: \"https://u:p@x/\", secret: s }", 2, "webhooks.shop.url"),
    .init(
        "webhooks:\n  shop: { url: \"https://x/\", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, events: [order.payd] }",
        2,
        "matches no event"),
    .init("webhooks:\n  shop: { url: \"https://x/\", secret: whsec_short }", 2, "webhooks.shop.secret"),
    .init(
        "webhooks:\n  shop: { url: \"https://x/\", secret: \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw s\" }", 2,
        "is not a webhook's secret"),
    .init(
        "gateways:\n  a: { kind: fixed, state: PAID }\nlanes:\n  a: { rate: 1/s }", 4,
        "lanes.a: the lane \"a\" is already named by gateways.a"),
    .init(
        "stores:\n  a: { kind: directory, chunks: /c, target: /t }\nwebhooks:\n  a: { url: \"https://x\", secret: s }",
        4,
        "already named by stores.a"),
]

@Suite struct ConfigurationTests {
    @Test(arguments: wrongConfigurations) func aWrongOneNamesKeyLineAndWhatIsAllowed(_ wrong: WrongConfiguration) {
        let error = #expect(throws: SettingsError.self) {
            try Configuration(yaml: wrong.yaml, fileName: "r.yaml", environment: [:])
        }
        let text = error?.description ?? ""
        #expect(text.contains(wrong.message), "\(text)")
        #expect(error?.line == wrong.line, "\(text)")
        #expect(text.contains("allowed: "), "\(text)")
        #expect(!text.contains("s3cret"), "\(text)")
    }

    /// The page of the design, word for word where it is not cut short.
    @Test func everyKeyOfTheDesignIsUnderstood() async throws {
        try await withDirectory { directory in
            let key = directory.appending(path: "key").path
            try "sk_test\n".write(toFile: key, atomically: true, encoding: .utf8)
            let yaml = """
                database: { url: "postgres://a:b@h1,h2/d", listenUrl: null, poolSize: 4 }
                http: { host: 127.0.0.1, port: 8080, tokens: [{ name: ops, role: admin, tokenFile: \(key) }] }
                watches:
                  orders: { concurrency: 256, batch: 200, lease: 60s, poll: 1s, sweep: 5s, record: all, notify: true }
                gateways:
                  stripe-eu: { kind: stripe, secretKeyFile: \(key), rate: 25/s, closeAtGateway: false }
                  alipay-cn: { kind: alipay, appId: "1", privateKeyFile: \(key), alipayPublicKeyFile: \(key), cadence: [5s, 30s] }
                  acme: { kind: http, url: "https://pay.example/orders/{id}", headers: { authorization: "Bearer x" }, timeout: 10s,
                          state: "$.status", states: { PAID: [paid], NOT_PAID_YET: [open, created], CLOSED: [void], REFUNDED: [refunded], NOT_FOUND: [missing] },
                          amount: "$.amount", amountUnit: minor, currency: "$.currency", order: "$.order", merchant: null, txn: "$.txn" }
                  trial: { kind: fixed, state: PAID, delay: 0ms }
                stores:
                  local: { kind: directory, chunks: /data/chunks, target: /data/files, pattern: "{name}_{index}", firstIndex: 0,
                           quiescence: 5s, expireAfter: 24h, reclaimAfter: 10m, minFreeBytes: 1GiB, concurrency: 4, cadence: [5s, 30s, 5m] }
                  media: { kind: s3, endpoint: "https://s3.example", bucket: media, region: eu-central-1, accessKeyFile: \(key), secretKeyFile: \(key) }
                lanes:
                  timers: { concurrency: 64, rate: 1000/s, timeout: 10s }
                webhooks:
                  shop: { url: "https://shop.example/hook", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", events: ["order.*", "upload.*"] }
                """
            let configuration = try Configuration(yaml: yaml, fileName: "r.yaml", environment: [:])
            #expect(configuration.gateways.map(\.name) == ["stripe-eu", "alipay-cn", "acme", "trial"])
            #expect(configuration.stores.map(\.name) == ["local", "media"])
            #expect(configuration.database.url?.value == "postgres://a:b@h1,h2/d")
            #expect(configuration.http.tokens.map(\.name) == ["ops"])
            #expect(configuration.lanes.first?.limits.rate == Rate(count: 1_000, per: .seconds(1)))
            #expect(configuration.webhooks.first?.endpoint.events == ["order.*", "upload.*"])
        }
    }

    /// Others may add timers once the HTTP interface can be reached by them: then only what is listed is called.
    @Test func whereTimersMayCallDependsOnWhoCanReachUs() throws {
        func targets(_ yaml: String) throws -> TargetPolicy {
            try Configuration(yaml: yaml, fileName: "r.yaml", environment: [:]).timerTargets
        }
        let isPublic = "http: { host: 0.0.0.0, tokens: [{ name: a, role: admin, token: x }] }"
        let listed = "watches: { timers: { allowedHosts: [shop.example, \"*.example.org\"] } }"
        #expect(try targets("") == .everywhere)
        #expect(try targets(isPublic) == .nowhere)
        let expected = try #require(TargetPolicy(allowedHosts: ["shop.example", "*.example.org"]))
        #expect(try targets(listed) == expected)
        #expect(try targets("\(isPublic)\n\(listed)") == expected)
    }

    @Test func theTimersLaneIsThereWithoutConfiguration() throws {
        func lanes(_ yaml: String) throws -> [NamedLaneConfiguration] {
            try Configuration(yaml: yaml, fileName: "r.yaml", environment: [:]).lanes
        }
        let byDefault = try lanes("")
        #expect(byDefault.map(\.name) == ["timers"])
        #expect(byDefault.map(\.limits.concurrency) == [64] && byDefault.map(\.limits.timeout) == [.seconds(10)])
        let named = try lanes("lanes: { slow: { timeout: 60s }, timers: { timeout: 1s } }")
        #expect(Set(named.map(\.name)) == ["slow", "timers"])
        #expect(named.first { $0.name == "timers" }?.limits.timeout == .seconds(1))
        #expect(named.first { $0.name == "timers" }?.limits.concurrency == 64)
    }

    @Test func theEnvironmentAloneSuffices() throws {
        let configuration = try Configuration(
            yaml: "", fileName: "environment",
            environment: [
                "RECONCILED_DATABASE_URL": "postgres://h/d", "RECONCILED_GATEWAYS_TRIAL_KIND": "fixed",
                "RECONCILED_GATEWAYS_TRIAL_STATE": "PAID", "RECONCILED_WATCHES_ORDERS_BATCH": "7",
                "RECONCILED_LANES_TIMERS_RATE": "5/s", "RECONCILED_HTTP_HOST": "0.0.0.0",
                "RECONCILED_HTTP_TOKENS_0_NAME": "ops", "RECONCILED_HTTP_TOKENS_0_ROLE": "viewer",
                "RECONCILED_HTTP_TOKENS_0_TOKEN": "t",
            ])
        #expect(configuration.database.url?.value == "postgres://h/d")
        #expect(configuration.gateways.map(\.name) == ["trial"])
        #expect(configuration.watches.orders.batch == 7)
        #expect(configuration.lanes.map(\.name) == ["timers"])
        #expect(configuration.http.host == "0.0.0.0")
    }

    @Test func defaultsAreTheDesigns() throws {
        let configuration = try Configuration(yaml: "", fileName: "r.yaml", environment: [:])
        #expect(configuration.database.poolSize == 4)
        #expect(configuration.http.host == "127.0.0.1")
        let orders = configuration.watches.orders
        #expect(orders.concurrency == 256 && orders.batch == 200)
        #expect(orders.lease == .seconds(60) && orders.poll == .seconds(1) && orders.sweep == .seconds(5))
        #expect(orders.record == .all && configuration.watches.timers.record == .none)
    }
}
