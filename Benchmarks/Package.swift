// swift-tools-version:6.2

import PackageDescription

let settings: [SwiftSetting] = [.swiftLanguageMode(.v6)]

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "contrail", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        // Without its traits: jemalloc is one of them, and counts nothing where it is not installed.
        .package(url: "https://github.com/ordo-one/benchmark.git", from: "1.38.0", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "TrailQueries",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ContextVariables", package: "contrail"),
                .product(name: "Contrail", package: "contrail"),
                .product(name: "ContrailRecorder", package: "contrail"),
                .product(name: "ContrailStore", package: "contrail"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),
        // The drain's yardstick, in C.
        .target(name: "RawDrain", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "RawLoop", dependencies: ["RawDrain"], swiftSettings: settings),
        .executableTarget(
            name: "DrainRate",
            dependencies: [
                "RawLoop",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ContextVariables", package: "contrail"),
                .product(name: "Contrail", package: "contrail"),
                .product(name: "ContrailRecorder", package: "contrail"),
                .product(name: "ContrailStore", package: "contrail"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "RecordLatency",
            dependencies: [
                "RawLoop",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Contrail", package: "contrail"),
                .product(name: "ContrailStore", package: "contrail"),
            ],
            swiftSettings: settings
        ),
        // What is measured, for the three programs below.
        .target(
            name: "CostRows",
            dependencies: [
                .product(name: "ContextVariables", package: "contrail"),
                .product(name: "Contrail", package: "contrail"),
                .product(name: "ContrailRecorder", package: "contrail"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "PeerCosts",
            dependencies: [
                "CostRows",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .target(name: "AllocationCounter"),
        .executableTarget(
            name: "ScopeAllocations",
            dependencies: ["AllocationCounter", "CostRows"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ContextCosts",
            dependencies: [
                "CostRows",
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/ContextCosts",
            swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
    ]
)
