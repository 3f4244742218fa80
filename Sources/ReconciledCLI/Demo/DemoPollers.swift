import Foundation
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// The demo's poller processes: `reconciled run` each, one of which may be killed and is replaced.
final class DemoPollers: Sendable {
    private struct State {
        var running: [Int: Int] = [:]
        var killed: Set<Int> = []
        var count = 0
        var news: String?
    }

    private let directory: URL
    private let configuration: URL
    private let state = Mutex(State())

    init(directory: URL, configuration: URL) {
        self.directory = directory
        self.configuration = configuration
    }

    /// Runs so many of them while `body` runs; they are asked to stop, and stopped after a while.
    func with<T: Sendable>(_ count: Int, _ body: @escaping @Sendable () async throws -> T) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            for _ in 1...count {
                group.addTask {
                    while try await self.run() {}
                    return nil
                }
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            for try await result in group {
                if let result { return result }
            }
            throw Demo.Failure(description: "the pollers stopped; see \(directory.path)/poller-1.log")
        }
    }

    /// Kills the poller with that process id, without notice; returns whether it was one of ours.
    func kill(_ processID: Int, because reason: String) -> Bool {
        state.withLock { state in
            guard let number = state.running[processID], Glibc.kill(pid_t(processID), SIGKILL) == 0 else {
                return false
            }
            state.killed.insert(number)
            state.news =
                "poller \(number) was killed \(reason); another takes over, and poller \(state.count + 1) starts"
            return true
        }
    }

    /// What has happened since the last call.
    func takeNews() -> String? {
        state.withLock { state in
            defer { state.news = nil }
            return state.news
        }
    }

    /// Runs one until it ends; returns whether it was killed and wants a replacement.
    private func run() async throws -> Bool {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        let log = FilePath(directory.appending(path: "poller-\(number).log").path)
        let descriptor = try FileDescriptor.open(
            log, .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite])
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
        let record = try await Subprocess.run(
            .path("/proc/self/exe"), arguments: ["run", "--config", configuration.path],
            // The usual port is the demo's own.
            environment: .inherit.updating(["RECONCILED_HTTP_PORT": "0"]), platformOptions: options,
            input: .none, output: .fileDescriptor(descriptor, closeAfterSpawningProcess: false),
            error: .fileDescriptor(descriptor, closeAfterSpawningProcess: true)
        ) { execution in
            state.withLock { $0.running[Int(execution.processIdentifier.value)] = number }
        }
        let isKilled = state.withLock { state in
            state.running = state.running.filter { $0.value != number }
            return state.killed.contains(number)
        }
        guard isKilled || record.terminationStatus.isSuccess || Task.isCancelled else {
            throw Demo.Failure(description: "poller \(number) ended with \(record.terminationStatus); see \(log)")
        }
        return isKilled && !Task.isCancelled
    }
}
