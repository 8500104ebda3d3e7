// swift-tools-version:6.2

import PackageDescription

// Warnings are errors in this repository's own builds (`make` sets the variable) and not in a build that merely depends
// on the package, which a newer compiler's new warning must not break.
let isStrict = Context.environment["CONTRAIL_STRICT"] != nil

let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

// Conformances to protocols of packages that do not adopt NonisolatedNonsendingByDefault read better without it.
let adapterSettings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

let core: [Target] = [
    .target(name: "CTaskRuntime"),
    .target(
        name: "ContextVariables",
        dependencies: ["CTaskRuntime", .product(name: "Logging", package: "swift-log")],
        swiftSettings: settings
    ),
    .target(name: "ContrailRecorder", swiftSettings: settings),
    .target(
        name: "Contrail",
        dependencies: [
            "ContextVariables",
            "ContrailRecorder",
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "OrderedCollections", package: "swift-collections"),
        ],
        swiftSettings: settings
    ),
    .target(
        name: "ContrailFlask",
        dependencies: ["Contrail", .product(name: "HTTPTypes", package: "swift-http-types")],
        swiftSettings: settings
    ),
    .testTarget(
        name: "ContrailFlaskTests",
        dependencies: ["Contrail", "ContrailFlask", .product(name: "HTTPTypes", package: "swift-http-types")],
        swiftSettings: adapterSettings
    ),
    // Interprets conformance vectors with nothing but what users have: package-level names are out of its reach.
    .executableTarget(
        name: "conformance",
        dependencies: [
            "ContextVariables",
            "Contrail",
            .product(name: "HTTPTypes", package: "swift-http-types"),
        ],
        packageAccess: false,
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "ConformanceTests",
        dependencies: ["conformance"],
        exclude: ["Programs", "Vectors"],
        swiftSettings: adapterSettings
    ),
    // What tests of all rooms share.
    .target(
        name: "TestSupport",
        dependencies: ["ContrailRecorder"],
        path: "Tests/TestSupport",
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "ContextVariablesTests",
        dependencies: ["ContextVariables", "TestSupport", .product(name: "Logging", package: "swift-log")],
        swiftSettings: adapterSettings
    ),
    .target(
        name: "PluginContexts",
        dependencies: ["ContextVariables", .product(name: "Logging", package: "swift-log")],
        path: "Examples/PluginContexts",
        swiftSettings: settings
    ),
    .testTarget(
        name: "PluginContextsTests",
        dependencies: ["ContextVariables", "PluginContexts"],
        swiftSettings: adapterSettings
    ),
    .target(
        name: "RingFuzzing",
        dependencies: ["ContrailRecorder"],
        path: "Fuzz/RingFuzzing",
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "ContrailRecorderTests",
        dependencies: ["ContrailRecorder", "RingFuzzing", "TestSupport"],
        exclude: ["Corpus"],
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "ContrailTests",
        dependencies: [
            "ContextVariables",
            "Contrail",
            "ContrailRecorder",
            "TestSupport",
            .product(name: "HTTPTypes", package: "swift-http-types"),
        ],
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "ContrailModelTests",
        dependencies: [
            "ContextVariables",
            "Contrail",
            "ContrailRecorder",
            "TestSupport",
            .product(name: "HTTPTypes", package: "swift-http-types"),
        ],
        swiftSettings: adapterSettings
    ),
]

let service: [Target] = [
    .target(
        name: "ContrailMigrations",
        path: "migrations",
        resources: [
            .embedInCode("v0001_trail.sql"),
            .embedInCode("v0002_parties.sql"),
            .embedInCode("v0003_iso.sql"),
            .embedInCode("v0004_compact.sql"),
            .embedInCode("v0005_history.sql"),
            .embedInCode("v0006_retention.sql"),
            .embedInCode("v0007_runs.sql"),
        ],
        swiftSettings: adapterSettings
    ),
    .target(name: "CSQLiteSandbox", linkerSettings: [.linkedLibrary("sqlite3")]),
    .target(
        name: "ContrailStore",
        dependencies: [
            "ContrailMigrations",
            "ContrailRecorder",
            "CSQLiteSandbox",
            .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "GRDBSQLite", package: "GRDB.swift"),
            .product(name: "Logging", package: "swift-log"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        ],
        swiftSettings: settings
    ),
    .target(
        name: "ContrailServer",
        dependencies: [
            "ContrailRecorder",
            "ContrailStore",
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
        ],
        swiftSettings: adapterSettings
    ),
    .target(
        name: "ContrailHummingbird",
        dependencies: [
            "ContextVariables",
            "Contrail",
            "ContrailRecorder",
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
        ],
        swiftSettings: adapterSettings
    ),
    .target(
        name: "ContrailCookieSession",
        dependencies: [
            "Contrail",
            .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
        ],
        swiftSettings: settings
    ),
    .executableTarget(
        name: "ContrailCLI",
        dependencies: [
            "ContrailServer",
            "ContrailStore",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "Logging", package: "swift-log"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ],
        swiftSettings: adapterSettings
    ),
    .executableTarget(
        name: "Orders",
        dependencies: [
            "ContextVariables",
            "Contrail",
            "ContrailHummingbird",
            "ContrailServer",
            "ContrailStore",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "Logging", package: "swift-log"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ],
        path: "Examples/Orders",
        swiftSettings: adapterSettings
    ),
    .executableTarget(
        name: "torture",
        dependencies: [
            "Contrail",
            "ContrailRecorder",
            "ContrailStore",
            "TestSupport",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: adapterSettings
    ),
    // Asks a large trail for random moments.
    .executableTarget(
        name: "moments",
        dependencies: [
            "ContrailRecorder",
            "ContrailStore",
            "TestSupport",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ],
        swiftSettings: adapterSettings
    ),
    .target(
        name: "TrailFuzzing",
        dependencies: [
            "ContrailRecorder", "ContrailStore", "RingFuzzing", .product(name: "GRDB", package: "GRDB.swift"),
        ],
        path: "Fuzz/TrailFuzzing",
        swiftSettings: adapterSettings
    ),
    // Turns bits of a trail; the tests turn a few hundred of them.
    .executableTarget(
        name: "bitflips",
        dependencies: [
            "Contrail",
            "ContrailRecorder",
            "ContrailStore",
            "TestSupport",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "GRDBSQLite", package: "GRDB.swift"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: adapterSettings
    ),
    // What tests of several service rooms share: a listening server and a directory.
    .target(
        name: "ServiceTestSupport",
        dependencies: [
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "Logging", package: "swift-log"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        ],
        path: "Tests/ServiceTestSupport",
        swiftSettings: adapterSettings
    ),
    // What tests of the programs share: processes, an HTTP client, the sqlite3 shell.
    .target(
        name: "ProcessSupport",
        dependencies: [
            "TestSupport",
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
        ],
        path: "Tests/ProcessSupport",
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "ContrailCookieSessionTests",
        dependencies: [
            "Contrail",
            "ContrailCookieSession",
            "TestSupport",
            .product(name: "HTTPTypes", package: "swift-http-types"),
        ],
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "OrdersTests",
        dependencies: [
            "Orders",
            "ProcessSupport",
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
        ],
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "ContrailCLITests",
        dependencies: [
            "Contrail",
            "ContrailCLI",
            "ContrailStore",
            "Orders",
            "ProcessSupport",
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
        ],
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "ContrailServerTests",
        dependencies: [
            "Contrail",
            "ContrailServer",
            "ContrailStore",
            "ServiceTestSupport",
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "NIOCore", package: "swift-nio"),
        ],
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "ContrailHummingbirdTests",
        dependencies: [
            "ContextVariables",
            "Contrail",
            "ContrailHummingbird",
            "ContrailRecorder",
            "ContrailServer",
            "ContrailStore",
            "ServiceTestSupport",
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
        ],
        swiftSettings: adapterSettings
    ),
    // What users of other frameworks reported, reproduced with the mechanism they name, found in the trail, and repaired.
    .testTarget(
        name: "FieldReportTests",
        dependencies: [
            "ContextVariables",
            "Contrail",
            "ContrailHummingbird",
            "ContrailStore",
            "ServiceTestSupport",
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
        ],
        swiftSettings: adapterSettings
    ),
    .testTarget(
        name: "ContrailStoreTests",
        dependencies: [
            "bitflips",
            "ContextVariables",
            "Contrail",
            "ContrailMigrations",
            "ContrailRecorder",
            "ContrailStore",
            "ProcessSupport",
            "TestSupport",
            "TrailFuzzing",
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "GRDBSQLite", package: "GRDB.swift"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Logging", package: "swift-log"),
        ],
        exclude: ["Corpus"],
        swiftSettings: adapterSettings
    ),
]

// The thread sanitizer's build of the core rooms asks for them alone, without NIO and SQLite.
let isCoreOnly = Context.environment["CONTRAIL_CORE_ONLY"] != nil

// With CONTRAIL_CORE_ONLY=sanitized it is only the rooms whose tests run under the thread sanitizer.
let isSanitized = Context.environment["CONTRAIL_CORE_ONLY"] == "sanitized"
let sanitized: Set = [
    "CTaskRuntime", "ContextVariables", "ContextVariablesTests", "Contrail", "ContrailRecorder",
    "ContrailRecorderTests",
    "ContrailTests", "RingFuzzing", "TestSupport",
]

// The fuzzers are built by `make fuzz` alone: they link what only a fuzzing build has.
let fuzzers: [Target] =
    Context.environment["CONTRAIL_FUZZ"] == nil
    ? []
    : [
        .target(name: "CLibFuzzer", path: "Fuzz/CLibFuzzer"),
        .executableTarget(
            name: "fuzzring",
            dependencies: ["CLibFuzzer", "RingFuzzing"],
            path: "Fuzz/fuzzring",
            swiftSettings: adapterSettings
        ),
    ]
        + (isCoreOnly
            ? []
            : [
                .executableTarget(
                    name: "fuzztrail",
                    dependencies: ["CLibFuzzer", "TrailFuzzing"],
                    path: "Fuzz/fuzztrail",
                    swiftSettings: adapterSettings
                )
            ])

let package = Package(
    name: "contrail",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "ContextVariables", targets: ["ContextVariables"]),
        .library(name: "ContrailRecorder", targets: ["ContrailRecorder"]),
        .library(name: "Contrail", targets: ["Contrail"]),
    ]
        + (isSanitized ? [] : [.library(name: "ContrailFlask", targets: ["ContrailFlask"])])
        + (isCoreOnly
            ? []
            : [
                .library(name: "ContrailStore", targets: ["ContrailStore"]),
                .library(name: "ContrailServer", targets: ["ContrailServer"]),
                .library(name: "ContrailHummingbird", targets: ["ContrailHummingbird"]),
                .library(name: "ContrailCookieSession", targets: ["ContrailCookieSession"]),
                .executable(name: "contrail", targets: ["ContrailCLI"]),
            ]),
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    ]
        + (isCoreOnly
            ? []
            : [
                .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
                .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
                .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
                .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
                .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0"),
                .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
            ]),
    targets: core.filter { !isSanitized || sanitized.contains($0.name) } + (isCoreOnly ? [] : service) + fuzzers
)
