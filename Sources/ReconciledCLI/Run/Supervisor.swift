import Logging
import ServiceLifecycle
import UnixSignals

/// Runs the services of `reconciled run` until a signal ends them, anew with each configuration that SIGHUP brings.
struct Supervisor: Sendable {
    /// A private server's; it goes before the configuration's.
    let embeddedURL: String?
    let migrates: Bool
    let logger: Logger
    let reload: @Sendable () throws -> Configuration

    func run(_ configuration: Configuration) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let control = RunControl()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.obey(signals, control) }
            group.addTask {
                var next: Configuration? = configuration
                var predecessor: String?
                while let configuration = next {
                    predecessor = try await self.serve(configuration, replacing: predecessor, control)
                    next = control.takeNext()
                }
            }
            // Whichever ends first ends the other: the services at work's end, or a second signal that cancels them.
            try await group.next()
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    private func obey(_ signals: UnixSignalsSequence, _ control: RunControl) async {
        for await signal in signals {
            guard signal != .sighup else {
                await reload(control)
                continue
            }
            let (isFirst, group) = control.stop()
            guard isFirst, let group else {
                logger.notice("stopping at once", metadata: ["signal": "\(signal)"])
                return
            }
            logger.notice("stopping: finishing what runs", metadata: ["signal": "\(signal)"])
            await group.triggerGracefulShutdown()
        }
    }

    private func reload(_ control: RunControl) async {
        do {
            let configuration = try reload()
            if embeddedURL == nil, configuration.database.url == nil { throw DatabaseConfiguration.missing }
            logger.notice("the configuration was read again")
            await control.reload(configuration)?.triggerGracefulShutdown()
        } catch {
            logger.error("the new configuration is wrong; the old one stays", metadata: ["error": "\(error)"])
        }
    }

    /// Returns the id of what ran.
    private func serve(
        _ configuration: Configuration, replacing predecessor: String?, _ control: RunControl
    ) async throws -> String {
        guard let url = embeddedURL ?? configuration.database.url?.value else { throw DatabaseConfiguration.missing }
        let process = PollerProcess(
            configuration: configuration, url: url, migrates: migrates, replacing: predecessor, logger: logger)
        let group = ServiceGroup(services: process.services, logger: process.quietLogger)
        guard control.begin(group) else { return process.id }
        let result: Result<Void, any Error>
        do { result = .success(try await group.run()) } catch { result = .failure(error) }
        await process.close()
        try result.get()
        return process.id
    }
}
