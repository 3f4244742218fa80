import Foundation
import Reconciling
import Settings

/// One of `stores`: where an upload's chunks are and where the file goes.
struct StoreConfiguration: Sendable {
    struct Directory: Sendable {
        enum Layout: String, CaseIterable, Sendable {
            /// A file for each chunk.
            case chunks
            /// One preallocated file and part markers.
            case offset
        }

        var chunks: String
        var target: String
        var layout: Layout
        var pattern: String
        var firstIndex: Int
        var minFreeBytes: Int64
    }

    struct S3: Sendable {
        var endpoint: URL
        var bucket: String
        var region: String
        var accessKey: Secret
        var secretKey: Secret
    }

    enum Kind: Sendable {
        case directory(Directory)
        case s3(S3)
    }

    var name: String
    var kind: Kind
    var limits: LaneLimits
    var cadence: [Duration]
    /// No chunk was written for this long.
    var quiescence: Duration
    var expireAfter: Duration
    var reclaimAfter: Duration

    private enum KindName: String, CaseIterable {
        case directory, s3
    }

    init(name: String, reading section: SettingsSection) throws {
        var section = section
        self.name = name
        let year: Duration = .seconds(365 * 86_400)
        guard let kind = try section.choice("kind", KindName.self) else {
            throw section.error("kind", problem: "the key is required", allowed: "directory, s3")
        }
        switch kind {
        case .directory: self.kind = .directory(try Directory(reading: &section))
        case .s3: self.kind = .s3(try S3(reading: &section))
        }
        limits = try LaneLimits(reading: &section)
        cadence = try section.durations("cadence", in: .milliseconds(10)...year) ?? LaneConfiguration.defaultCadence
        quiescence = try section.duration("quiescence", in: .zero ... .seconds(86_400)) ?? .seconds(5)
        expireAfter = try section.duration("expireAfter", in: .seconds(1)...year) ?? .seconds(86_400)
        reclaimAfter = try section.duration("reclaimAfter", in: .zero...year) ?? .seconds(600)
        try section.finish()
    }
}

extension StoreConfiguration.Directory {
    fileprivate init(reading section: inout SettingsSection) throws {
        chunks = try section.requiredString("chunks")
        target = try section.requiredString("target")
        layout = try section.choice("layout", Layout.self) ?? .chunks
        pattern = try section.string("pattern") ?? "{id}/{index}"
        firstIndex = try section.integer("firstIndex", in: 0...1) ?? 0
        minFreeBytes = try section.size("minFreeBytes", in: 0...(1 << 50)) ?? 1 << 30
        guard chunks != target else {
            throw section.error("target", problem: "the same directory as chunks", allowed: "another directory")
        }
        let words = pattern.matches(of: /\{([^{}]*)\}/).map { String($0.1) }
        let isRelative = !pattern.hasPrefix("/") && !pattern.split(separator: "/").contains("..")
        guard words.contains("index"), words.contains("id") || words.contains("name"), isRelative,
            words.allSatisfy(["id", "name", "index"].contains)
        else {
            throw section.error(
                "pattern", problem: "the value does not name a chunk of an upload",
                allowed: "a relative path with {index} and {id} or {name}, such as {id}/{index}")
        }
    }
}

extension StoreConfiguration.S3 {
    fileprivate init(reading section: inout SettingsSection) throws {
        endpoint = try section.requiredURL("endpoint")
        bucket = try section.requiredString("bucket")
        region = try section.requiredString("region")
        accessKey = try section.requiredSecret("accessKey")
        secretKey = try section.requiredSecret("secretKey")
    }
}
