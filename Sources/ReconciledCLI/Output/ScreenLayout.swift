/// Blocks on a screen of a given size.
enum ScreenLayout {
    /// `top`, then the blocks, each after an empty line where there is room; long blocks are cut. Never more than
    /// `size.rows` lines of `size.columns` cells.
    static func fit(_ top: [TextLine], _ blocks: [TextBlock], _ size: TerminalSize) -> [TextLine] {
        let heads = blocks.count(where: { $0.head != nil })
        // Two rows of each are worth more than empty lines.
        let least = top.count + heads + blocks.map { min($0.rows.count, 2) }.reduce(0, +)
        let gap = least + blocks.count <= size.rows ? [TextLine("")] : []
        let room = size.rows - top.count - heads - gap.count * blocks.count
        let shares = shares(of: room, among: blocks.map(\.rows.count))
        var lines = top
        for (block, share) in zip(blocks, shares) {
            lines += gap + (block.head.map { [$0] } ?? []) + block.cut(toRows: share)
        }
        if lines.count > size.rows {
            lines = Array(lines.prefix(max(size.rows - 1, 0))) + (size.rows > 0 ? [TextLine("…", .dim)] : [])
        }
        return lines.map { $0.cut(to: size.columns) }
    }

    /// Shares out rows evenly; what a short block does not need goes to the long ones.
    static func shares(of room: Int, among counts: [Int]) -> [Int] {
        var shares = counts.map { _ in 0 }
        var left = room
        var hungry = counts.indices.filter { counts[$0] > 0 }
        while left > 0, !hungry.isEmpty {
            let each = max(1, left / hungry.count)
            for index in hungry {
                let share = min(each, counts[index] - shares[index], left)
                shares[index] += share
                left -= share
            }
            hungry.removeAll { shares[$0] == counts[$0] }
        }
        return shares
    }
}
