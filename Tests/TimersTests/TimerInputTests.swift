import JSON
import Testing
import Timeline

@testable import Timers

@Suite struct TimerInputTests {
    private func read(_ text: String, targets: TargetPolicy = .everywhere) throws -> TimerInput {
        try TimerInput(json: try JSONValue(parsing: text), targets: targets)
    }

    private func read(with members: String) throws -> TimerInput {
        try read(#"{"id": "t", "every": "10s", "url": "http://127.0.0.1:9/x", \#(members)}"#)
    }

    @Test func theLeastIsEnough() throws {
        let input = try read(#"{"id": "t", "every": "1m30s", "url": "https://example.com/run"}"#)
        #expect(input.every == .seconds(90))
        #expect(input.lane == "timers" && input.method == "GET" && input.status == "active")
        #expect(input.catchUp == .skip && input.firstCheck == .byDefault && input.timeout == nil)
    }

    @Test func everythingIsRead() throws {
        let input = try read(
            with: """
                "anchor_at": "2026-01-01T00:00:00Z", "lane": "slow", "headers": {"X-Key": "a b"}, "body": "{}",
                "catch_up": "all", "max_runs": 5, "ends_at": "2027-01-01T00:00:00Z", "timeout": "250ms",
                "expect_status": 204, "status": "paused", "next_check_at": null, "metadata": {"a": 1}
                """)
        #expect(input.method == "POST" && input.maxRuns == 5 && input.timeout == .milliseconds(250))
        #expect(input.expectStatus == 204 && input.status == "paused" && input.firstCheck == .never)
        #expect(input.headers == #"{"X-Key":"a b"}"# && input.catchUp == .all && input.lane == "slow")
    }

    @Test(arguments: [
        (#""every": "9ms""#, "every is too short"), (#""every": "36501d""#, "every is too long"),
        (#""every": "10ms500us""#, "every is too fine"), (#""every": "10""#, "every is not a duration"),
        (#""every": 10"#, "every is not a text"),
        (#""every": "-1s""#, "every is not a duration"), (#""url": "ftp://x/""#, "url is not a URL"),
        (#""url": "http://u:p@x/""#, "url is not a URL"), (#""method": "get""#, "method is no such method"),
        (#""method": "CONNECT""#, "method is no such method"), (#""headers": []"#, "headers is not a JSON object"),
        (#""headers": {"a": 1}"#, "headers has a value that is not a text"),
        (#""headers": {"a b": "1"}"#, "headers has a name"), (#""headers": {"": "1"}"#, "headers has a name"),
        (#""headers": {"a": "1\r\nb: 2"}"#, "headers has a value of a"),
        (#""headers": {"Host": "x"}"#, "headers sets host"),
        (#""headers": {"Idempotency-Key": "x"}"#, "headers sets idempotency-key"),
        (#""headers": {"a": "1", "A": "2"}"#, "headers names a twice"), (#""body": "\u0000""#, "body cannot be stored"),
        (#""catch_up": "some""#, "catch_up is no such way"), (#""max_runs": 0"#, "max_runs is too small"),
        (#""timeout": "11m""#, "timeout is too long"), (#""expect_status": 199"#, "expect_status is too small"),
        (#""status": "finished""#, "status is not a status"), (#""lane": "a/b""#, "lane is not a lane's name"),
        (#""anchor_at": "3000-01-01T00:00:00Z""#, "anchor_at is too late"),
        (#""anchor_at": "now""#, "anchor_at is not"),
        (#""run_count": 1"#, "run_count is not a field of a timer"),
    ])
    func whatIsWrongIsNamed(member: String, problem: String) throws {
        var object = try JSONValue(parsing: #"{"id": "t", "every": "10s", "url": "http://127.0.0.1:9/x"}"#)
        guard case .object(var members) = object, case .object(let wrong) = try JSONValue(parsing: "{\(member)}") else {
            return
        }
        members.removeAll { $0.name == wrong[0].name }
        object = .object(members + wrong)
        let error = #expect(throws: InputError.self) { try TimerInput(json: object) }
        #expect(error?.description.hasPrefix(problem) == true, "\(String(describing: error))")
    }

    @Test(arguments: ["id", "every", "url"]) func whatIsNeededIsNamed(field: String) throws {
        let names = ["id": "t", "every": "10s", "url": "http://x/"].filter { $0.key != field }
        let json = JSONValue.object(names.map { .init($0.key, .string($0.value)) })
        let error = #expect(throws: InputError.self) { try TimerInput(json: json) }
        #expect(error?.field == field && error?.problem == "is missing")
    }

    @Test func aHostThatMayNotBeCalledIsRefused() throws {
        let listed = try #require(TargetPolicy(allowedHosts: ["shop.example"]))
        let object = #"{"id": "t", "every": "10s", "url": "http://HOST/x"}"#
        func input(_ host: String) throws -> TimerInput {
            try read(object.replacing("HOST", with: host), targets: listed)
        }
        #expect(throws: Never.self) { try input("shop.example:8080") }
        let error = #expect(throws: InputError.self) { try input("169.254.169.254") }
        #expect(
            error?.description == "url names a host that timers may not call; allowed: the hosts of "
                + "watches.timers.allowedHosts")
    }
}
