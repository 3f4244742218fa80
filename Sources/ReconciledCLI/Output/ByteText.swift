/// Sizes as people read them.
enum ByteText {
    /// `512 bytes`, `1.5 GiB`.
    static func text(_ bytes: Int64) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
        guard bytes >= 1_024 else { return "\(bytes) bytes" }
        var value = Double(bytes) / 1_024
        var unit = 0
        while value >= 1_024, unit < units.count - 1 {
            value /= 1_024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 || tenths >= 1_000
            ? "\(tenths / 10) \(units[unit])" : "\(Double(tenths) / 10) \(units[unit])"
    }

    /// `45 %`, of the bytes that are done; never 100 before they all are.
    static func share(_ done: Int64, of total: Int64) -> String {
        total > 0 ? "\(Int((Double(done) / Double(total) * 100).rounded(.down))) %" : "100 %"
    }
}
