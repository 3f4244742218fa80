import Dispatch
import TestSupport
import Testing
import Timeline

@testable import Uploads

/// Work on threads that hang.
@Suite struct FileWorkTests {
    private static func work(_ threads: FileThreads, deadline: Moment = .distantFuture) -> FileWork {
        FileWork(on: threads, deadline: deadline, stallLimit: .milliseconds(100))
    }

    private static func fault<T: Sendable>(_ body: () async throws -> T) async -> StoreFault.Kind? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? StoreFault)?.kind
        }
    }

    @Test func aStoreThatHangsIsUnavailableAndHangsNobodyElse() async throws {
        let (sick, sound) = (FileThreads(count: 1), FileThreads(count: 1))
        let hung = DispatchSemaphore(value: 0)
        #expect(await Self.fault { try await Self.work(sick).run { hung.wait() } } == .unavailable(retryAfter: nil))
        // Nor does the next one there, who finds no thread.
        #expect(await Self.fault { try await Self.work(sick).run {} } == .unavailable(retryAfter: nil))
        #expect(try await Self.work(sound).run { 7 } == 7)
        hung.signal()
        try await eventually("the thread is free again") {
            await Self.fault { try await Self.work(sick).run {} } == nil
        }
    }

    @Test func whatMovesIsNotGivenUp() async throws {
        let work = Self.work(FileThreads(count: 1))
        let steps = try await work.run {
            var steps = 0
            let end = Moment.now + .milliseconds(400)
            while Moment.now < end, !work.mustEnd() { steps += 1 }
            return Moment.now < end ? 0 : steps
        }
        #expect(steps > 0)
    }

    @Test func whoWaitsForAThreadIsNotGivenUpWhileOthersMove() async throws {
        let threads = FileThreads(count: 1)
        let (first, second) = (Self.work(threads), Self.work(threads))
        async let moving = first.run {
            let end = Moment.now + .milliseconds(400)
            while Moment.now < end { _ = first.mustEnd() }
        }
        async let waiting = second.run { 7 }
        #expect(try await waiting == 7)
        try await moving
    }

    @Test func aDeadlineAndACancellationEndItAtOnceAndTellTheWork() async throws {
        let threads = FileThreads(count: 2)
        let hung = DispatchSemaphore(value: 0)
        let late = Self.work(threads, deadline: .now + .milliseconds(20))
        #expect(await Self.fault { try await late.run { hung.wait() } } == .interrupted)
        #expect(late.mustEnd())
        let cancelled = FileWork(on: threads, deadline: .distantFuture, stallLimit: .seconds(60))
        let began = Flag()
        let kind = try await withThrowingTaskGroup(of: StoreFault.Kind?.self) { group in
            group.addTask {
                await Self.fault {
                    try await cancelled.run {
                        began.set()
                        hung.wait()
                    }
                }
            }
            try await eventually("it hangs") { began.isSet }
            group.cancelAll()
            return try await group.next() ?? nil
        }
        #expect(kind == .interrupted)
        #expect(cancelled.mustEnd())
        hung.signal()
        hung.signal()
    }

    @Test func whatIsGivenUpBeforeItsTurnIsNeverDone() async throws {
        let threads = FileThreads(count: 1)
        let hung = DispatchSemaphore(value: 0)
        let isDone = Flag()
        _ = await Self.fault { try await Self.work(threads).run { hung.wait() } }
        _ = await Self.fault { try await Self.work(threads).run { isDone.set() } }
        hung.signal()
        try await eventually("the thread is free again") {
            await Self.fault { try await Self.work(threads).run {} } == nil
        }
        #expect(!isDone.isSet)
    }
}
