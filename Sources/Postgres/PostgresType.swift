/// The object ids of PostgreSQL's built-in types that this layer speaks; they are fixed (pg_type.dat).
enum PostgresType {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let unknown: UInt32 = 705
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let timestamptz: UInt32 = 1184
    static let interval: UInt32 = 1186
    static let jsonb: UInt32 = 3802

    static let boolArray: UInt32 = 1000
    static let nameArray: UInt32 = 1003
    static let int2Array: UInt32 = 1005
    static let int4Array: UInt32 = 1007
    static let textArray: UInt32 = 1009
    static let varcharArray: UInt32 = 1015
    static let int8Array: UInt32 = 1016
    static let timestamptzArray: UInt32 = 1185
    static let intervalArray: UInt32 = 1187
    static let jsonbArray: UInt32 = 3807

    /// Microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's own epoch.
    static let epochMicroseconds: Int64 = 946_684_800_000_000
}
