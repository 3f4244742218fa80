import Postgres
import Schema

/// The limit to measure against: the very statements of `sql/` that our processes run, as a pgbench script.
struct PgbenchScript {
    static let poller = "pgbench"

    /// pgbench variables that the script starts from, as `name=value`.
    let variables: [String]
    let text: String

    /// Each transaction adds one order, as a PUT does that comes alone.
    init(addingTo lane: String) {
        variables = ["number=0"]
        let row = """
            ('[{"id": "\(Bench.idPrefix)pgbench-' || :client_id::text || '-' || :number::text || '", "gateway": "\(lane)", \
            "amount_minor": 100, "currency": "EUR", "next_check_at": "2100-01-01"}]')::jsonb
            """
        text =
            "\\set number :number + 1\n"
            + Self.replacing(in: Self.body(.sql("add_orders")), [1: row, 2: "'\(Self.poller)'"]) + ";\n"
    }

    /// Each batch claimed, and settled as paid.
    ///
    /// Two things differ, for pgbench cannot hold rows: the claim's last SELECT gathers the batch into arrays, and the settle
    /// fills the arrays that a poller would send with constants.
    init(lane: String, batch: Int) {
        variables = ["at=-infinity", "last=0"]
        let claim = Self.replacing(
            in: Self.body(.sql("claim_orders")),
            [
                1: "'\(Self.poller)-' || :client_id::text", 2: "interval '60 seconds'", 3: "ARRAY['\(lane)']",
                4: "ARRAY[\(batch)]", 5: "ARRAY[:at::timestamptz]", 6: "ARRAY[:last::text]", 7: "ARRAY[true]",
            ])
        guard let projection = claim.range(of: "\nSELECT horizon.name")?.lowerBound else {
            preconditionFailure("sql/claim_orders.sql does not end as this benchmark expects")
        }
        let gather = """

            SELECT array_agg(claimed.id ORDER BY claimed.next_check_at, claimed.id)::text AS ids,
                array_agg(claimed.lease_token ORDER BY claimed.next_check_at, claimed.id)::text AS tokens,
                array_agg(claimed.next_check_at ORDER BY claimed.next_check_at, claimed.id)::text AS dues,
                COALESCE(max(claimed.next_check_at), '-infinity')::text AS at,
                COALESCE((array_agg(claimed.id ORDER BY claimed.next_check_at DESC, claimed.id DESC))[1], '0') AS last,
                count(*) AS n
            FROM claimed
            """
        text = claim[..<projection] + gather + "\n\\gset\n\\if :n > 0\n" + Self.settle(lane: lane) + ";\n\\endif\n"
    }

    private static func settle(lane: String) -> String {
        func filled(_ value: String, _ type: String) -> String { "array_fill(\(value)::\(type), ARRAY[:n::integer])" }
        return replacing(
            in: body(.sql("settle_orders")),
            [
                1: "'\(poller)-' || :client_id::text", 2: "true", 3: ":ids::text[]", 4: ":tokens::bigint[]",
                5: filled("'pending'", "text"), 6: ":dues::timestamptz[]", 7: filled("'settled'", "text"),
                8: filled("NULL", "interval"), 9: filled("0", "integer"), 10: filled("'PAID'", "text"),
                11: filled("'{\"state\": \"PAID\", \"amount\": 100, \"currency\": \"EUR\"}'", "jsonb"),
                12: filled("NULL", "text"), 13: filled("NULL", "jsonb"), 14: filled("'cancelled,closed'", "text"),
                15: filled("0", "integer"), 16: filled("true", "boolean"), 17: filled("'paid'", "text"),
                18: filled("now()", "timestamptz"), 19: ":ids::text[]", 20: filled("'PAID'", "text"),
                21: filled("NULL", "text"), 22: filled("NULL", "jsonb"), 23: filled("false", "boolean"),
                24: filled("'[\"\(lane)\", null, 100, \"EUR\"]'", "jsonb"),
            ])
    }

    /// The statement without comments and closing semicolon.
    private static func body(_ statement: Statement) -> String {
        let lines = statement.text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("--") }
        var body = lines.joined(separator: "\n")
        if body.last == ";" { body.removeLast() }
        return body
    }

    /// Replaces `$n` together with the cast that follows it.
    private static func replacing(in text: String, _ values: [Int: String]) -> String {
        text.replacing(/\$(\d+)(::[a-z]+(\[\])?)?/) { match in
            guard let number = Int(match.1), let value = values[number] else {
                preconditionFailure("parameter \(match.0) has no value in this benchmark")
            }
            return value
        }
    }
}
