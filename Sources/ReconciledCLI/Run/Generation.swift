import ServiceLifecycle

/// The services of the process under one of its configurations.
struct Generation: Sendable {
    let number: Int
    let process: PollerProcess
    private let front: ServiceGroup
    private let pollers: ServiceGroup

    init(_ number: Int, _ process: PollerProcess) {
        self.number = number
        self.process = process
        front = ServiceGroup(services: process.front, logger: process.quietLogger)
        pollers = ServiceGroup(services: process.pollers, logger: process.quietLogger)
    }

    /// Tells when its front, and when its pollers have ended, and why if not by themselves.
    func start(
        in group: inout DiscardingTaskGroup,
        telling tell: @escaping @Sendable (_ event: RunState.Event, _ failure: (any Error)?) -> Void
    ) {
        let (number, front, pollers) = (number, front, pollers)
        group.addTask {
            let failure = await Self.failure(of: front)
            tell(.frontEnded(failed: failure != nil), failure)
        }
        group.addTask {
            let failure = await Self.failure(of: pollers)
            tell(.pollersEnded(number, failed: failure != nil), failure)
        }
    }

    func finishFront() async { await front.triggerGracefulShutdown() }

    func finishPollers() async { await pollers.triggerGracefulShutdown() }

    private static func failure(of group: ServiceGroup) async -> (any Error)? {
        do { try await group.run() } catch { return error }
        return nil
    }
}
