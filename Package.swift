// swift-tools-version: 6.2
// Package.swift: the house. A target imports only lower floors; ArchitectureTests holds the same table.
import PackageDescription

/// The compiler settings of every Swift target: Swift 6 language mode and the stricter import and existential rules.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// The settings of every C target: warnings are errors.
let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")

/// A Swift target of the house with its sources under `Sources/<name>`.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests beside one room.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "meridian",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "meridian", targets: ["meridian"]),
        .executable(name: "meridian-zygote", targets: ["meridian-zygote"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Floor 0: words.
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .target(name: "CLinux", cSettings: strictC),
        .target(
            name: "CTLS",
            cSettings: strictC,
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
        ),
        .target(name: "CZygote", cSettings: strictC),
        room("MeridianModel"),

        // Floor 1: pure.
        room("MeridianManifests", ["MeridianModel", "CYAML"]),
        room("MeridianPlanning", ["MeridianModel"]),
        room("MeridianRouting", ["MeridianModel"]),
        room("MeridianMerging", ["MeridianModel"]),
        room("MeridianPorts", ["MeridianModel"]),
        room("MeridianContent", ["MeridianModel", "COpenSSL", "CLinux"]),

        // Floor 2: engines.
        room("MeridianStore", ["MeridianModel", "MeridianPorts", grdb]),
        room("MeridianRegistry", ["MeridianModel", "MeridianPorts", "MeridianContent", "CLinux"]),
        room("MeridianBuilds", ["MeridianModel", "MeridianPorts", "MeridianContent", "CLinux"]),
        room("MeridianRunners", ["MeridianModel", "MeridianPorts", "CLinux", "CSeccomp", "CZygote"]),
        room("MeridianEdge", ["MeridianModel", "MeridianRouting", "MeridianPorts", "CLinux", "CTLS", "CNGHTTP2"]),
        room(
            "MeridianGit",
            ["MeridianModel", "MeridianPorts", "MeridianManifests", "MeridianContent", "CLinux"]
        ),
        room("MeridianControl", ["MeridianModel", "MeridianPlanning", "MeridianPorts", logging]),
        room(
            "MeridianAPIServer",
            [
                "MeridianModel", "MeridianPorts", "MeridianManifests", "MeridianMerging", "MeridianContent",
                hummingbird,
                hummingbirdCore, hummingbirdTLS, logging, serviceLifecycle, nioCore, nioSSL, httpTypes,
            ]
        ),
        room("MeridianAPIClient", ["MeridianModel", "MeridianPorts", asyncHTTPClient, nioCore, nioHTTP1, nioSSL]),

        // Floor 3: assembly.
        room(
            "MeridianNode",
            [
                "MeridianModel", "MeridianPorts", "MeridianRouting", "MeridianEdge", "MeridianRunners",
                "MeridianRegistry", "MeridianContent", "CLinux", hummingbird, logging, serviceLifecycle, unixSignals,
                nioCore, httpTypes,
            ]
        ),
        room(
            "MeridianControlPlane",
            [
                "MeridianModel", "MeridianPorts", "MeridianPlanning", "MeridianStore", "MeridianBuilds",
                "MeridianRegistry", "MeridianControl", "MeridianAPIServer", "MeridianAPIClient", "MeridianContent",
                "MeridianRunners", "MeridianGit", "CLinux", logging, serviceLifecycle, unixSignals,
            ]
        ),
        room(
            "MeridianSimulation",
            ["MeridianModel", "MeridianPorts", "MeridianPlanning", "MeridianControl", "MeridianStore", logging]
        ),
        room(
            "MeridianCommands",
            [
                "MeridianModel", "MeridianPorts", "MeridianManifests", "MeridianMerging", "MeridianPlanning",
                "MeridianContent", "MeridianAPIClient", "MeridianGit", "CLinux", argumentParser,
            ]
        ),

        // Floor 4: programs.
        .executableTarget(
            name: "meridian",
            dependencies: [
                "MeridianModel", "MeridianContent", "MeridianCommands", "MeridianNode", "MeridianControlPlane",
                "MeridianSimulation", "CLinux", argumentParser, logging,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "meridian-zygote",
            dependencies: ["CZygote"],
            cSettings: strictC,
            linkerSettings: [.unsafeFlags(["-static-executable"])]
        ),

        // Measures starts from outside the product; run by Benchmarks/start.
        .executableTarget(
            name: "start-times",
            dependencies: [
                "MeridianModel", "MeridianPorts", "MeridianNode", "MeridianRunners", "MeridianEdge", "CLinux", logging,
            ],
            path: "Benchmarks/StartTimes",
            swiftSettings: strict
        ),

        // Tests, one suite beside each room.
        tests("ArchitectureTests", []),
        tests("EndToEndTests", ["meridian", "meridian-zygote"]),
        tests("MeridianModelTests", ["MeridianModel"]),
        tests("MeridianManifestsTests", ["MeridianManifests", "MeridianModel"]),
        .testTarget(
            name: "MeridianMergingTests",
            dependencies: ["MeridianModel", "MeridianMerging"],
            exclude: ["Cases"],
            swiftSettings: strict
        ),
        tests(
            "MeridianAPIServerTests",
            [
                "MeridianModel", "MeridianPorts", "MeridianMerging", "MeridianContent", "MeridianAPIServer",
                "MeridianAPIClient", "MeridianStore", asyncHTTPClient, hummingbird, httpTypes, logging,
                serviceLifecycle, nioCore, nioHTTP1,
            ]
        ),
        tests(
            "MeridianAPIClientTests",
            [
                "MeridianModel", "MeridianPorts", "MeridianAPIClient", hummingbird, hummingbirdCore, httpTypes,
                logging, serviceLifecycle, nioCore,
            ]
        ),
        tests(
            "MeridianControlPlaneTests",
            [
                "MeridianControlPlane", "MeridianModel", "MeridianPorts", "MeridianPlanning", "MeridianControl",
                "MeridianStore", "MeridianGit", "MeridianAPIServer", "MeridianContent", "MeridianRegistry", logging,
            ]
        ),
        tests("MeridianContentTests", ["MeridianContent", "MeridianModel"]),
        .testTarget(
            name: "MeridianStoreTests",
            dependencies: ["MeridianStore", "MeridianModel", "MeridianPorts", grdb],
            exclude: ["Schemas"],
            swiftSettings: strict
        ),
        tests(
            "MeridianRegistryTests",
            ["MeridianRegistry", "MeridianModel", "MeridianPorts", "MeridianContent"]
        ),
        tests(
            "MeridianGitTests",
            ["MeridianGit", "MeridianModel", "MeridianPorts", "MeridianContent", "MeridianManifests"]
        ),
        tests(
            "MeridianBuildsTests",
            ["MeridianBuilds", "MeridianModel", "MeridianPorts", "MeridianContent", "meridian-zygote"]
        ),
        tests(
            "MeridianNodeTests",
            [
                "MeridianNode", "MeridianModel", "MeridianPorts", "MeridianEdge", "MeridianRunners", "MeridianContent",
                "MeridianAPIClient", serviceLifecycle, logging, "meridian-zygote",
            ]
        ),
        .testTarget(
            name: "MeridianPlanningTests",
            dependencies: ["MeridianPlanning", "MeridianModel"],
            exclude: ["Goldens"],
            swiftSettings: strict
        ),
        tests(
            "MeridianControlTests",
            ["MeridianControl", "MeridianModel", "MeridianPlanning", "MeridianPorts", "MeridianStore", logging]
        ),
        tests(
            "MeridianSimulationTests",
            ["MeridianSimulation", "MeridianControl", "MeridianModel", "MeridianPlanning", "MeridianPorts"]
        ),
        tests("MeridianRoutingTests", ["MeridianRouting", "MeridianModel"]),
        .target(name: "CAllocationCount", path: "Tests/CAllocationCount", cSettings: strictC),
        tests("MeridianEdgeTests", ["MeridianEdge", "MeridianModel", "MeridianRouting", "CLinux", "CAllocationCount"]),
        tests(
            "MeridianCommandsTests",
            [
                "MeridianCommands", "MeridianManifests", "MeridianModel", "MeridianMerging", "MeridianContent",
                "MeridianAPIClient", "MeridianPorts", argumentParser,
            ]
        ),
        tests(
            "MeridianRunnersTests",
            ["MeridianRunners", "MeridianModel", "MeridianPorts", "CLinux", "CZygote", "meridian-zygote"]
        ),
    ]
)
