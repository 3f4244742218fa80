import Glibc

/// Who a poller is: host, process and a random part, new at each start; after a reload with a number besides.
public struct PollerIdentity: Hashable, Sendable {
    public var id: String
    public var host: String
    public var processID: Int32
    /// The version of the program.
    public var version: String
    /// The process's id, which its watches' pollers share.
    private let process: String
    /// Counts the configurations that the process was given.
    private var generation = 1

    public init(version: String) {
        host = Self.hostName()
        processID = getpid()
        self.version = version
        let random = String(UInt32.random(in: .min ... .max), radix: 36)
        process = "\(host)-\(processID)-\(random)"
        id = process
    }

    /// The poller of one watch in this process: leases and the registry tell it from those of the other watches.
    public func poller(of watch: String) -> PollerIdentity {
        var poller = self
        poller.id = generation == 1 ? "\(process)-\(watch)" : "\(process)-\(generation)-\(watch)"
        return poller
    }

    /// The same process under its next configuration: its pollers are others, for those of the configuration before it
    /// finish beside them.
    public var successor: PollerIdentity {
        var successor = self
        successor.generation += 1
        return successor
    }

    /// The process's database sessions carry this; the notify trigger stays silent for them.
    public var applicationName: String { "reconciled/\(process)" }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
