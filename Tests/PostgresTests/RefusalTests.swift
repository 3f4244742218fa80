import Postgres
import TestSupport
import Testing
import Timeline

/// Values and results that do not fit are refused, with the place named.
@Suite struct RefusalTests {
    @Test(arguments: [
        ("SELECT 1::int4 AS n", "String"), ("SELECT 1::int8 AS n", "Int32"), ("SELECT 'x'::text AS n", "Int32"),
        ("SELECT 1.5::numeric AS n", "String"), ("SELECT now()::timestamp AS n", "Timestamp"),
        ("SELECT interval '1 month' AS n", "Duration"), ("SELECT NULL::int4 AS n", "Int32"),
        ("SELECT ARRAY[[1,2],[3,4]]::text[] AS n", "[String]"), ("SELECT ARRAY['a', NULL] AS n", "[String]"),
    ])
    func decodeErrorsNameTheColumn(text: String, type: String) async throws {
        try await withTestDatabase(migrated: false) { database in
            let error = try await failure {
                try await database.pool.query(sql("SELECT 0::int4 AS first, x.n FROM (\(text)) x", name: "refused")) {
                    try $0.first { row in
                        row.skip()
                        switch type {
                        case "String": _ = try row.read(String.self)
                        case "Int32": _ = try row.read(Int32.self)
                        case "Timestamp": _ = try row.read(Timestamp.self)
                        case "Duration": _ = try row.read(Duration.self)
                        default: _ = try row.read([String].self)
                        }
                    }
                }
            }
            #expect(error.code == .decode)
            #expect(error.column == "n")
            #expect(error.statementName == "refused")
            #expect(error.classification == .permanent)
            #expect(error.description.contains("column 2 \"n\""))
        }
    }

    @Test func readingPastTheLastColumn() async throws {
        try await withTestDatabase(migrated: false) { database in
            let error = try await failure {
                try await database.pool.query(sql("SELECT 1")) {
                    try $0.first { try ($0.read(Int.self), $0.read(Int.self)) }
                }
            }
            #expect(error.code == .decode)
            #expect(error.message == "column 2 was read, but the result has 1")
        }
    }

    @Test func foreignErrorsOfADecoderAreKept() async throws {
        struct Odd: Error {}
        try await withTestDatabase(migrated: false) { database in
            let error = try await failure {
                try await database.pool.query(sql("SELECT 1")) { _ -> Int in throw Odd() }
            }
            #expect(error.code == .decode)
            #expect(error.cause is Odd)
            #expect(try await database.pool.value(sql("SELECT 2")) == 2)
        }
    }

    @Test func valuesThatPostgreSQLCannotHold() async throws {
        try await withTestDatabase(migrated: false) { database in
            let bad: [PostgresParameter] = [
                .text("secret\0x"), .textArray(["a", "secret\0"]), .jsonb("\"secret\0\""),
                .interval(.seconds(Int64.max)),
                .timestamptz(Timestamp(microseconds: .min + 1)), .timestamptzArray([Timestamp(microseconds: .min + 1)]),
            ]
            for parameter in bad {
                let error = try await failure {
                    try await database.pool.execute(sql("SELECT $1::int4, $2", [.int4(1), parameter]))
                }
                #expect(error.code == .parameter)
                #expect(error.message.hasPrefix("parameter $2 "))
                #expect(!"\(error)\(String(reflecting: error))".contains("secret"))
            }
            for name in ["te\0xt", "text"] {
                let error = try await failure { try await database.pool.execute(sql("SELECT 1 \0 + 1", name: name)) }
                #expect(error.code == .parameter)
            }
            #expect(try await database.pool.value(sql("SELECT 1", name: "na\0me")) == 1)
            let many = try await failure {
                try await database.pool.execute(sql("SELECT 1", Array(repeating: .int4(1), count: 70_000)))
            }
            #expect(many.code == .parameter)
        }
    }

    @Test func serverErrorsKeepWhatTheServerSaid() async throws {
        try await withTestDatabase(migrated: false) { database in
            try await database.pool.withTransaction {
                try $0.execute(
                    script: """
                        CREATE TABLE things (id int8 PRIMARY KEY,
                            amount int8 CONSTRAINT amount_positive CHECK (amount > 0));
                        INSERT INTO things VALUES (1, 1);
                        """)
            }
            let insert = "INSERT INTO things (id, amount) VALUES ($1, $2)"
            let duplicate = try await failure {
                try await database.pool.execute(sql(insert, [.int8(1), .int8(777)], name: "insert_thing"))
            }
            #expect(duplicate.code == .query)
            #expect(duplicate.sqlState == "23505")
            #expect(duplicate.constraint == "things_pkey")
            #expect(duplicate.table == "things")
            #expect(duplicate.statementName == "insert_thing")
            #expect(duplicate.detail?.contains("(id)=(1)") == true)
            #expect(duplicate.classification == .permanent)
            #expect(!duplicate.description.contains("(1)"), "the detail quotes values: for debugging only")
            #expect(String(reflecting: duplicate).contains("(id)=(1)"))
            let check = try await failure { try await database.pool.execute(sql(insert, [.int8(2), .int8(-5)])) }
            #expect(check.sqlState == "23514" && check.constraint == "amount_positive")
            let null = try await failure {
                try await database.pool.execute(sql("INSERT INTO things (id) VALUES (NULL)"))
            }
            #expect(null.sqlState == "23502" && null.column == "id")
            let syntax = try await failure { try await database.pool.execute(sql("SELEC 1")) }
            #expect(syntax.sqlState == "42601" && syntax.classification == .permanent)
            let copy = try await failure { try await database.pool.execute(sql("COPY things TO STDOUT")) }
            #expect(copy.sqlState == "0A000" && copy.classification == .permanent)
            #expect(try await database.pool.value(sql("SELECT count(*) FROM things")) == 1)
        }
    }

    @Test(arguments: [
        ("40001", PostgresError.Classification.transient), ("40P01", .transient), ("08006", .transient),
        ("53300", .transient), ("57P01", .transient), ("57P03", .transient), ("57014", .transient),
        ("55P03", .transient),
        ("25006", .transient), ("58030", .transient), ("26000", .transient), ("23505", .permanent),
        ("23514", .permanent),
        ("22P02", .permanent), ("42P01", .permanent), ("42501", .permanent), ("42601", .permanent),
        ("28P01", .permanent),
        ("3D000", .permanent), ("25P02", .permanent), ("XX000", .permanent), ("P0001", .permanent),
    ])
    func classification(sqlState: String, expected: PostgresError.Classification) {
        #expect(PostgresError(.query, sqlState: sqlState, message: "").classification == expected)
        #expect(PostgresError(.connection, sqlState: sqlState, message: "").classification == expected)
    }

    @Test func classificationByCode() {
        #expect(PostgresError(.connection, message: "").classification == .transient)
        for code in [PostgresError.Code.cancelled, .deadline, .poolClosed] {
            #expect(PostgresError(code, message: "").classification == .cancelled)
        }
        for code in [PostgresError.Code.decode, .parameter, .configuration] {
            #expect(PostgresError(code, message: "").classification == .permanent)
        }
    }
}
