import Postgres
import TestSupport
import Testing
import Timeline

/// What goes in comes out, to the bit, through a real server.
@Suite(.timeLimit(.minutes(2))) struct RoundTripTests {
    private func check<T: PostgresDecodable & Sendable & Equatable>(
        _ pool: PostgresPool, _ type: String, _ values: [T?], _ make: (T?) -> PostgresParameter,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for value in values + [nil] {
            let back = try await pool.query(sql("SELECT $1::\(type)", [make(value)], name: type)) {
                try $0.map { try $0.readOptional(T.self) }
            }
            #expect(back == [value], sourceLocation: sourceLocation)
        }
    }

    @Test func scalars() async throws {
        try await withTestDatabase(migrated: false) { database in
            let pool = database.pool
            try await check(pool, "text", ["", "a", "Grüße 漢字 🧾", String(repeating: "x", count: 1_000_000)]) {
                .text($0)
            }
            try await check(pool, "bool", [true, false]) { .bool($0) }
            try await check(pool, "int4", [.min, -1, 0, 1, .max]) { .int4($0) }
            try await check(pool, "int8", [.min, -1, 0, 1, .max] as [Int64?]) { .int8($0) }
            try await check(
                pool, "float8", [0, -0.0, 0.1, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity]
            ) { .float8($0) }
            try await check(pool, "bytea", [[], [0, 255, 10], Array(repeating: 7, count: 100_000)]) { .bytea($0) }
            try await check(pool, "jsonb", ["{\"a\": [1, null]}", "\"é\"", "null"]) { .jsonb($0) }
            try await check(pool, "interval", [.zero, .microseconds(-1), .seconds(86_400 * 400), .microseconds(1)]) {
                .interval($0)
            }
        }
    }

    @Test func instants() async throws {
        try await withTestDatabase(migrated: false) { database in
            // The earliest instant of PostgreSQL, around both epochs, the last of a Timestamp, and both infinities.
            let values: [Int64] = [
                -210_866_803_200_000_000, -1, 0, 1, 946_684_799_999_999, 946_684_800_000_000, .max - 1, .max, .min,
            ]
            try await check(database.pool, "timestamptz", values.map { Timestamp(microseconds: $0) }) {
                .timestamptz($0)
            }
            let texts = try await database.pool.query(
                sql(
                    "SELECT timestamptz 'infinity', timestamptz '-infinity', timestamptz '2026-11-23T14:02:11.250001Z'"
                )
            ) { try $0.first { try ($0.read(Timestamp.self), $0.read(Timestamp.self), $0.read(Timestamp.self)) } }
            let (later, earlier, now) = try #require(texts)
            #expect(later == .distantFuture && earlier == .distantPast)
            #expect(now == Timestamp("2026-11-23T14:02:11.250001Z"))
        }
    }

    @Test func smallerAndOtherTypes() async throws {
        try await withTestDatabase(migrated: false) { database in
            let query = sql(
                """
                SELECT (-32768)::int2, 7::int2, 8::int2, 9::int4, 10::int8, 1.5::float4, 'n'::name, 'v'::varchar(3),
                    'c'::char(3), '{"b":1}'::json, 12.50::numeric::text, 'x', interval '2 days 03:04:05.000006'
                """)
            let numbers = try await database.pool.query(query) {
                try $0.first {
                    try [
                        Double($0.read(Int16.self)), Double($0.read(Int32.self)), Double($0.read(Int64.self)),
                        Double($0.read(Int64.self)), Double($0.read(Int.self)), $0.read(Double.self),
                    ]
                }
            }
            #expect(numbers == [-32768, 7, 8, 9, 10, 1.5])
            let others = try await database.pool.query(query) {
                try $0.first { row in
                    for _ in 0..<6 { row.skip() }
                    let texts = try (0..<6).map { _ in try row.read(String.self) }
                    return (texts, try row.read(Duration.self))
                }
            }
            #expect(others?.0 == ["n", "v", "c  ", "{\"b\":1}", "12.50", "x"])
            #expect(others?.1 == .microseconds(183_845_000_006))
        }
    }

    @Test func arraysUnnest() async throws {
        try await withTestDatabase(migrated: false) { database in
            let now = Timestamp(microseconds: 1_700_000_000_123_456)
            let rows = try await database.pool.query(
                sql(
                    """
                    SELECT * FROM unnest($1::text[], $2::int4[], $3::int8[], $4::bool[], $5::timestamptz[],
                        $6::interval[], $7::jsonb[]) AS u (a, b, c, d, e, f, g)
                    """,
                    [
                        .textArray(["", nil, "ö"]), .int4Array([1, nil, .min]), .int8Array([nil, 2, .max]),
                        .boolArray([true, nil, false]), .timestamptzArray([now, .distantFuture, nil]),
                        .intervalArray([.milliseconds(1), nil, .zero]), .jsonbArray(["[1]", nil, "{}"]),
                    ])
            ) { rows in
                try rows.map { row in
                    func next<T: PostgresDecodable>(_: T.Type) throws -> String {
                        try row.readOptional(T.self).map { "\($0)" } ?? "NULL"
                    }
                    return try [
                        next(String.self), next(Int32.self), next(Int64.self), next(Bool.self), next(Timestamp.self),
                        next(Duration.self), next(String.self),
                    ]
                }
            }
            #expect(
                rows == [
                    ["", "1", "NULL", "true", "\(now)", "\(Duration.milliseconds(1))", "[1]"],
                    ["NULL", "NULL", "2", "NULL", "infinity", "NULL", "NULL"],
                    ["ö", "\(Int32.min)", "\(Int64.max)", "false", "NULL", "\(Duration.zero)", "{}"],
                ])
        }
    }

    @Test func arraysComeBack() async throws {
        try await withTestDatabase(migrated: false) { database in
            let pool = database.pool
            try await check(pool, "text[]", [[], ["a", "", "ö\"{},"], Array(repeating: "z", count: 10_000)]) {
                .textArray($0 ?? ["never"])
            } nullText: {
                "NULL::text[]"
            }
            let numbers = try await pool.value(sql("SELECT $1", [.int8Array([1, .min, .max])]), as: [Int64].self)
            #expect(numbers == [1, .min, .max])
            let empty = try await pool.value(sql("SELECT cardinality($1)", [.textArray([])]), as: Int32.self)
            #expect(empty == 0)
        }
    }

    private func check(
        _ pool: PostgresPool, _ type: String, _ values: [[String]], _ make: ([String]?) -> PostgresParameter,
        nullText: () -> String
    ) async throws {
        for value in values {
            let back = try await pool.value(sql("SELECT $1::\(type)", [make(value)], name: "array"), as: [String].self)
            #expect(back == value)
        }
        let null = try await pool.query(sql("SELECT \(nullText())")) {
            try $0.map { try $0.readOptional([String].self) }
        }
        #expect(null == [nil])
    }

    @Test func randomValuesSurvive() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let texts = (0..<500).map { _ in
            String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0...40, using: &random)).compactMap { _ in
                        Unicode.Scalar(UInt32.random(in: 1...0x10FFFF, using: &random))
                    }))
        }
        let numbers = (0..<500).map { _ in Int64.random(in: .min ... .max, using: &random) }
        let instants = (0..<500).map { _ in
            Timestamp(microseconds: .random(in: -210_866_803_200_000_000 ... .max, using: &random))
        }
        try await withTestDatabase(migrated: false) { database in
            let back = try await database.pool.query(
                sql(
                    "SELECT * FROM unnest($1::text[], $2::int8[], $3::timestamptz[])",
                    [.textArray(texts), .int8Array(numbers), .timestamptzArray(instants)])
            ) { try $0.map { try ($0.read(String.self), $0.read(Int64.self), $0.read(Timestamp.self)) } }
            #expect(back.map(\.0) == texts, "seed \(seed)")
            #expect(back.map(\.1) == numbers, "seed \(seed)")
            #expect(back.map(\.2) == instants, "seed \(seed)")
        }
    }
}

/// Sebastiano Vigna's splitmix64: small, seeded, good enough to make test data.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
