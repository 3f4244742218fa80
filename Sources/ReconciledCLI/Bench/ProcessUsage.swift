import Foundation
import Glibc

/// What this process has used, as Linux counts it.
enum ProcessUsage {
    /// A size of `/proc/self/status`: `VmRSS` (now) or `VmHWM` (the most since it was reset).
    static func megabytes(_ field: String) throws -> Double {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
        guard let kilobytes = line.flatMap({ Double($0.filter(\.isNumber)) }) else {
            throw Bench.Failure(description: "/proc/self/status has no \(field)")
        }
        return kilobytes / 1_024
    }

    /// `VmHWM` counts from here on.
    static func resetPeak() throws {
        let file = try FileHandle(forWritingTo: URL(filePath: "/proc/self/clear_refs"))
        try file.write(contentsOf: Data("5".utf8))
        try file.close()
    }

    /// Of all threads, in user and kernel mode.
    static var cpuSeconds: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
