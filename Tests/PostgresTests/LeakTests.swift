import FoundationEssentials
import TestSupport
import Testing

@testable import Postgres

/// In a process of its own, where nobody else opens files or starts threads.
@Suite(.timeLimit(.minutes(2))) struct LeakTests {
    @Test func nothingIsLeftOfClosedPools() async {
        await #expect(processExitsWith: .success) {
            try await withTestDatabase(migrated: false) { database in
                try await use(database)
                let (descriptors, threads) = (entries(of: "/proc/self/fd").count, postgresThreads())
                for _ in 0..<10 { try await use(database) }
                try await eventually("its threads end") { postgresThreads() <= threads }
                #expect(entries(of: "/proc/self/fd").count <= descriptors)
            }
        }
    }
}

/// Everything that takes a descriptor or a thread: connections, failed ones, cancels, a listener, a forgotten pool.
private func use(_ database: TestDatabase) async throws {
    let pool = database.makePool(size: 3, applicationName: "leak")
    await withTaskGroup(of: Void.self) { group in
        for n in 0..<12 {
            group.addTask {
                let deadline = Duration.milliseconds(n % 2 == 0 ? 20 : 5_000)
                _ = try? await pool.execute(sql("SELECT pg_sleep(0.05)"), deadline: deadline)
            }
        }
    }
    await pool.close()
    let unreachable = PostgresPool(
        configuration: PostgresConfiguration(url: "postgres://127.0.0.1:1,127.0.0.1:2/x", applicationName: "leak"),
        size: 2, logger: testLogger)
    _ = try? await unreachable.execute(sql("SELECT 1"))
    await unreachable.close()
    let forgotten = database.makePool(size: 1, applicationName: "leak")
    try await forgotten.execute(sql("SELECT 1"))
    let listener = PostgresListener(
        configuration: PostgresConfiguration(url: database.url, applicationName: "leak"), channels: ["x"],
        logger: testLogger)
    await withTaskGroup(of: Void.self) { group in
        group.addTask { await listener.run() }
        for await event in listener.events where event == .listening { break }
        group.cancelAll()
    }
}

private func entries(of directory: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
}

/// Threads of this layer, which are named after the application; the concurrency runtime starts and ends others.
private func postgresThreads() -> Int {
    entries(of: "/proc/self/task").count { thread in
        let name = try? String(contentsOfFile: "/proc/self/task/\(thread)/comm", encoding: .utf8)
        return name == "leak\n" || name == "postgres cancel\n"
    }
}
