/// Runs the jobs of one node on the simulation's thread.
final class SimulatedExecutor: SerialExecutor, TaskExecutor {
    let simulation: Simulation
    let node: Int

    init(_ simulation: Simulation, node: Int) {
        self.simulation = simulation
        self.node = node
    }

    func enqueue(_ job: consuming ExecutorJob) {
        simulation.enqueue(UnownedJob(job), node: node, executor: self)
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    func asUnownedTaskExecutor() -> UnownedTaskExecutor { unsafe UnownedTaskExecutor(ordinary: self) }
}
