// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours is held to the same standard; a dependency is not.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

// The module graph, bottom up; each arrow reads "is used by":
//   Timeline → Postgres → Schema → PostgresStore
//   Timeline → Reconciling (the engine: neither Postgres nor HTTP) → PostgresStore → Payments
//   PostgresStore → Uploads, Timers, Deliveries; JSON and Outgoing (calls out) → Payments, Uploads, Timers, Deliveries;
//   Settings → Payments, Uploads; PostgresStore and JSON → Console; Sandbox stands alone; ReconciledCLI wires everything.
let package = Package(
    name: "reconciled",
    products: [
        .executable(name: "reconciled", targets: ["ReconciledCLI"]),
        .library(name: "Reconciled", targets: ["Reconciling", "PostgresStore", "Postgres", "Timeline"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(name: "Timeline", swiftSettings: strict),
        .target(
            name: "Postgres", dependencies: ["CLibpq", "Timeline", collections, logging], swiftSettings: strict),

        .executableTarget(name: "EmbedTool", swiftSettings: strict),
        .plugin(name: "EmbedSQL", capability: .buildTool(), dependencies: ["EmbedTool"]),
        .plugin(name: "EmbedAssets", capability: .buildTool(), dependencies: ["EmbedTool"]),
        .target(
            name: "Schema", dependencies: ["Postgres", crypto, logging], swiftSettings: strict,
            plugins: ["EmbedSQL"]),

        .target(
            name: "Reconciling", dependencies: ["Timeline", collections, lifecycle, logging], swiftSettings: strict),
        .target(
            name: "PostgresStore", dependencies: ["Postgres", "Reconciling", "Schema", "Timeline", logging],
            swiftSettings: strict),
        .target(name: "JSON", dependencies: ["Timeline"], swiftSettings: strict),
        .target(name: "Outgoing", dependencies: ["Timeline", asyncHTTPClient, nioPosix], swiftSettings: strict),
        .target(name: "Settings", dependencies: ["Timeline", yams], swiftSettings: strict),
        .target(
            name: "Payments",
            dependencies: [
                "JSON", "Outgoing", "Postgres", "PostgresStore", "Reconciling", "Schema", "Settings", "Timeline",
                logging,
            ],
            swiftSettings: strict),
        .target(
            name: "Uploads",
            dependencies: [
                "CLinux", "JSON", "Outgoing", "Postgres", "PostgresStore", "Reconciling", "Schema", "Settings",
                "Timeline", crypto, logging, nioPosix,
            ],
            swiftSettings: strict),
        .target(
            name: "Timers",
            dependencies: [
                "JSON", "Outgoing", "Postgres", "PostgresStore", "Reconciling", "Schema", "Timeline",
            ],
            swiftSettings: strict),
        .target(
            name: "Deliveries",
            dependencies: [
                "JSON", "Outgoing", "Postgres", "PostgresStore", "Reconciling", "Schema", "Timeline", crypto,
            ],
            swiftSettings: strict),
        .target(
            name: "Console",
            dependencies: [
                "JSON", "Postgres", "PostgresStore", "Reconciling", "Schema", "Timeline", coreMetrics, crypto,
                hummingbird, lifecycle, logging, metrics, mustache, nioPosix,
            ],
            exclude: ["Dashboard/Assets"], swiftSettings: strict, plugins: ["EmbedAssets"]),
        .target(
            name: "Sandbox", dependencies: ["Timeline", crypto, hummingbird, lifecycle, logging], swiftSettings: strict),
        .executableTarget(
            name: "ReconciledCLI",
            dependencies: [
                "Console", "Deliveries", "JSON", "Outgoing", "Payments", "Postgres", "PostgresStore", "Reconciling",
                "Sandbox", "Schema", "Settings", "Timeline", "Timers", "Uploads", argumentParser, crypto, histogram,
                lifecycle, logging, metrics, nioPosix, subprocess,
            ],
            swiftSettings: strict),

        // Shared by the tests; not shipped.
        .target(
            name: "TestSupport", dependencies: ["Outgoing", "Postgres", "Schema", asyncHTTPClient, logging],
            path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "StoreConformance", dependencies: ["Reconciling", "Timeline"], path: "Tests/StoreConformance",
            swiftSettings: strict),
        .testTarget(name: "TimelineTests", dependencies: ["Timeline"], swiftSettings: strict),
        .testTarget(
            name: "PostgresTests", dependencies: ["Postgres", "TestSupport", logging], swiftSettings: strict),
        .testTarget(
            name: "ReconcilingTests", dependencies: ["Reconciling", "StoreConformance", "Timeline", lifecycle],
            swiftSettings: strict),
        .testTarget(
            name: "PostgresStoreTests",
            dependencies: [
                "Deliveries", "JSON", "Outgoing", "Payments", "Postgres", "PostgresStore", "Reconciling", "Schema",
                "StoreConformance", "TestSupport", "Timeline", "Timers", "Uploads", logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "OutgoingTests", dependencies: ["Outgoing", "TestSupport", "Timeline"], swiftSettings: strict),
        .testTarget(
            name: "PaymentsTests",
            dependencies: [
                "JSON", "Outgoing", "Payments", "Sandbox", "Settings", "TestSupport", asyncHTTPClient, subprocess,
            ],
            exclude: ["Peers"], swiftSettings: strict),
        .testTarget(
            name: "UploadsTests",
            dependencies: [
                "JSON", "Outgoing", "Reconciling", "Settings", "TestSupport", "Timeline", "Uploads", crypto, subprocess,
            ],
            exclude: ["Peers"], swiftSettings: strict),
        .testTarget(
            name: "TimersTests",
            dependencies: [
                "JSON", "Outgoing", "Postgres", "PostgresStore", "Reconciling", "Schema", "TestSupport", "Timeline",
                "Timers", hummingbird, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DeliveriesTests",
            dependencies: [
                "Deliveries", "JSON", "Outgoing", "Postgres", "PostgresStore", "Reconciling", "Schema", "TestSupport",
                "Timeline", hummingbird, logging, subprocess,
            ],
            exclude: ["Peers"], swiftSettings: strict),
        .testTarget(name: "SandboxTests", dependencies: ["Sandbox", asyncHTTPClient], swiftSettings: strict),
        .testTarget(name: "SettingsTests", dependencies: ["Settings"], swiftSettings: strict),
        .testTarget(
            name: "ConsoleTests",
            dependencies: [
                "Console", "JSON", "PostgresStore", "TestSupport", "Timeline", asyncHTTPClient, hummingbird, logging,
                metrics, nioHTTP,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CLITests",
            dependencies: [
                "Console", "JSON", "Payments", "Postgres", "PostgresStore", "ReconciledCLI", "Schema", "Settings",
                "TestSupport", "Timeline", "Timers", "Uploads", asyncHTTPClient, logging, subprocess,
            ],
            exclude: ["Peers"], swiftSettings: strict),
        .testTarget(
            name: "FaultTests",
            dependencies: ["Postgres", "ReconciledCLI", "Schema", "TestSupport", crypto, hummingbird, logging],
            swiftSettings: strict),
        .testTarget(name: "RepositoryTests", swiftSettings: strict),
    ]
)
