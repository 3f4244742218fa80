import Collections
import Timeline

/// Tasks that sleep until a moment, the earliest first.
struct Sleepers: Sendable {
    typealias Continuation = CheckedContinuation<Void, any Error>

    private struct Alarm: Comparable, Sendable {
        var moment: Moment
        var id: Int

        static func < (a: Alarm, b: Alarm) -> Bool { (a.moment, a.id) < (b.moment, b.id) }
    }

    private var alarms = Heap<Alarm>()
    private var continuations: [Int: Continuation] = [:]
    /// Announced and not yet asleep; a cancellation may come in between.
    private var announced: Set<Int> = []
    private var lastID = 0

    /// When the next one is to be woken. A cancelled one may stand for it: waking early is harmless.
    var next: Moment? { alarms.min?.moment }

    mutating func announce() -> Int {
        lastID += 1
        announced.insert(lastID)
        return lastID
    }

    /// False if the sleeper was cancelled before it fell asleep.
    mutating func add(_ id: Int, until moment: Moment, _ continuation: Continuation) -> Bool {
        guard announced.remove(id) != nil else { return false }
        continuations[id] = continuation
        alarms.insert(Alarm(moment: moment, id: id))
        return true
    }

    /// The sleeper to be woken by an error, nil if it does not sleep (yet, or any more).
    mutating func cancel(_ id: Int) -> Continuation? {
        announced.remove(id)
        return continuations.removeValue(forKey: id)
    }

    mutating func removeDue(at now: Moment) -> [Continuation] {
        var due: [Continuation] = []
        while let alarm = alarms.min, alarm.moment <= now {
            alarms.removeMin()
            if let continuation = continuations.removeValue(forKey: alarm.id) { due.append(continuation) }
        }
        return due
    }
}
