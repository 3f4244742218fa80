/// Shares the free slots of a poller among its lanes.
///
/// Each lane owns a small reserve of the watch's concurrency, an eighth of an equal share and at least one slot; what is
/// left is a pool that any lane may use. So a lane that got stuck may hold the whole pool, but never the slots that the
/// others need to go on. Each open lane gets one slot to look with before busy lanes get the rest in equal shares, and
/// what busy lanes cannot use goes to the others.
enum ClaimPlan {
    struct Demand: Sendable {
        /// May be claimed now.
        var isOpen = true
        /// Brought as many rows as were asked for the last time: more are due.
        var isBusy = false
        /// Slots taken: checks under way, and claims that may bring one.
        var taken = 0
        /// Rows that the lane may have under way at most.
        var limit = Int.max
    }

    /// Slots that each of so many lanes owns. Zero if there are more lanes than slots: then they take turns.
    static func reserve(concurrency: Int, laneCount: Int) -> Int {
        guard laneCount > 1 else { return 0 }
        return min(concurrency / laneCount, max(1, concurrency / (8 * laneCount)))
    }

    /// The rows to claim in each lane; their sum is at most `budget` and at most the free slots.
    ///
    /// - Parameter turn: where to start giving when there are fewer slots than lanes; the caller counts it up.
    static func quotas(_ lanes: [Demand], concurrency: Int, budget: Int, turn: Int) -> [Int] {
        let reserve = reserve(concurrency: concurrency, laneCount: lanes.count)
        var pool = concurrency - reserve * lanes.count
        for lane in lanes { pool -= max(0, lane.taken - reserve) }
        pool = max(0, pool)
        var quotas = Array(repeating: 0, count: lanes.count)
        var left = max(0, budget)

        func give(_ index: Int, atMost count: Int) {
            let lane = lanes[index]
            let taken = lane.taken + quotas[index]
            let own = max(0, reserve - taken)
            let given = min(count, left, lane.limit - min(lane.limit, taken), own + pool)
            guard given > 0 else { return }
            quotas[index] += given
            left -= given
            pool -= max(0, given - own)
        }
        func share(among indices: [Int]) {
            while left > 0 {
                let before = left
                let part = max(1, left / max(1, indices.count))
                for index in indices { give(index, atMost: part) }
                if left == before { return }
            }
        }

        let open = lanes.indices.map { ($0 + turn) % lanes.count }.filter { lanes[$0].isOpen }
        for index in open { give(index, atMost: 1) }
        share(among: open.filter { lanes[$0].isBusy })
        share(among: open.filter { !lanes[$0].isBusy })
        return quotas
    }
}
