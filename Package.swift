// swift-tools-version: 6.3
import PackageDescription

// Targets are listed by floor; an import may only go to a lower floor, or to an earlier
// target of the same floor. `tools/check-floors` holds every import to this list.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // Our readers are `~Escapable`; the feature is the one swift-nio ships with.
    .enableExperimentalFeature("Lifetimes"),
]

func swift(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], excluding: [String] = []
) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies,
        exclude: excluding, swiftSettings: strict)
}

extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioHTTPTypes = product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let serviceLifecycle = product(
        name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
}

let package = Package(
    name: "bootgate",
    products: [
        .executable(name: "bootgate", targets: ["OwnerCLI"]),
        .executable(name: "bootgate-agent", targets: ["RuntimeAgent"]),
        .executable(name: "bootgate-broker", targets: ["KeyBroker"]),
        .executable(name: "bootgate-initramfs", targets: ["InitramfsAgent"]),
        .executable(name: "bootgate-psp", targets: ["SimulatedPSP"]),
        .executable(name: "bootgate-vectors", targets: ["VectorRunner"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        // Floor 0: C
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CCryptsetup", pkgConfig: "libcryptsetup",
            providers: [.apt(["libcryptsetup-dev"])]),
        .target(name: "CLinux"),
        .target(name: "CTSS2"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),

        // Floor 1: pure Swift
        swift("Bytes"),
        swift("Protocol", ["Bytes"]),
        swift("Evidence", ["Bytes"]),
        swift("Prediction", ["Bytes", "Evidence"]),
        swift("Policy", ["Bytes", "Evidence"]),
        swift("AdminAPI", ["Bytes", "Policy"]),
        swift("AgentAPI"),

        // Floor 2: one C library each
        swift("Curl", ["CCurl", "Bytes"]),
        swift("Linux", ["CLinux", "Bytes"]),
        swift("LUKS", ["CCryptsetup", "Bytes"]),
        swift("OpenSSL", ["COpenSSL", "Bytes", "Protocol"]),
        swift("TPM", ["CTSS2", "Bytes"]),

        // Floor 3: domain
        swift("Attester", ["Bytes", "Protocol", "Evidence", "Linux", "TPM"]),
        swift("Verification", ["Bytes", "Evidence", "Policy", "OpenSSL"]),
        swift("Endorsements", ["Bytes", "Evidence", "AdminAPI", "Curl", "Linux", "OpenSSL"]),
        swift(
            "Authenticators",
            [
                "Bytes", "Protocol", "Evidence", "Policy", "OpenSSL", "Verification",
                "Endorsements",
            ]),
        swift("Settings", ["Bytes", "Evidence", "Policy"]),
        swift("Store", ["Bytes", "Policy", "AdminAPI", .grdb]),
        swift(
            "BrokerCore",
            [
                "Bytes", "Protocol", "Evidence", "Policy", "AdminAPI", "OpenSSL", "Linux",
                "Verification", "Endorsements", "Authenticators", "Store", .logging,
            ]),
        swift("BrokerLink", ["Bytes", "Protocol", "Linux", "OpenSSL"]),
        swift(
            "RuntimeCore",
            [
                "Bytes", "Protocol", "Evidence", "AgentAPI", "Linux", "OpenSSL", "TPM", "Attester",
                "BrokerLink",
            ]),
        swift("NetIO", ["Bytes", "Linux", "OpenSSL", .nioCore, .nioPosix, .logging]),

        // Floor 4: programs
        program(
            "InitramfsAgent",
            [
                "Bytes", "Protocol", "Evidence", "OpenSSL", "LUKS", "Linux", "Attester", "TPM",
                "BrokerLink",
            ]),
        program(
            "RuntimeAgent",
            [
                "Bytes", "Protocol", "Evidence", "AgentAPI", "OpenSSL", "Linux", "TPM",
                "BrokerLink",
                "Settings", "RuntimeCore", "NetIO",
                .httpTypes, .hummingbird, .hummingbirdCore, .logging, .nioCore, .nioHTTPTypes,
                .nioPosix, .serviceLifecycle, .unixSignals,
            ]),
        program(
            "KeyBroker",
            [
                "Bytes", "Protocol", "Evidence", "Policy", "AdminAPI", "Curl", "OpenSSL", "Linux",
                "Verification", "Endorsements", "Authenticators", "Settings", "Store",
                "BrokerCore", "NetIO",
                .argumentParser, .httpTypes, .hummingbird, .hummingbirdCore, .logging, .metrics,
                .nioCore, .nioPosix,
                .serviceLifecycle, .unixSignals,
            ]),
        program(
            "OwnerCLI",
            [
                "Bytes", "Protocol", "Evidence", "Prediction", "Policy", "AdminAPI", "AgentAPI",
                "Curl", "OpenSSL", "LUKS", "Linux", "Verification", "Endorsements",
                "Authenticators", "Settings", .argumentParser,
            ]),
        program(
            "SimulatedPSP", ["Bytes", "Protocol", "Evidence", "OpenSSL", "Linux", .argumentParser]),
        program(
            "VectorRunner",
            ["Bytes", "Evidence", "Policy", "Prediction", "OpenSSL", "Linux", "Verification"]),

        // Tests
        .target(
            name: "TestSupport", dependencies: ["Bytes"], path: "Tests/Support",
            swiftSettings: strict),
        .target(
            name: "TestBroker", dependencies: ["Bytes", "OpenSSL", "Protocol"],
            path: "Tests/Broker", swiftSettings: strict),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Bytes", "Protocol", "Evidence", "Prediction", "Policy", "Settings", "LUKS",
                "OpenSSL",
                "Attester", "Verification", "Endorsements",
            ],
            path: "fuzz/Sources/FuzzTargets", swiftSettings: strict),
        tests("Bytes", []),
        tests("FuzzTargets", []),
        tests("Protocol", ["Bytes", "OpenSSL"], excluding: ["Vectors"]),
        tests("Evidence", ["Bytes", "TestSupport"], excluding: ["Vectors"]),
        tests(
            "Prediction", ["Bytes", "Evidence", "OpenSSL", "TestSupport"], excluding: ["Vectors"]),
        tests("Policy", ["Bytes", "Evidence", "OpenSSL", "TestSupport"], excluding: ["Vectors"]),
        tests("Settings", ["Bytes", "Evidence", "Policy"]),
        tests("NetIO", ["Bytes", "OpenSSL", .nioCore, .nioEmbedded, .nioPosix]),
        tests("OpenSSL", ["Bytes", "TestSupport"]),
        tests("AdminAPI", ["Bytes"]),
        tests("Linux", ["Bytes"]),
        tests(
            "Verification",
            ["Bytes", "Evidence", "Policy", "OpenSSL", "SimulatedPSP", "TestSupport", "TPM"]),
        tests(
            "SimulatedPSP",
            ["Bytes", "Evidence", "Linux", "OpenSSL", "Policy", "Verification", .argumentParser]),
        tests("Endorsements", ["AdminAPI", "Bytes", "Curl", "Evidence", "OpenSSL", "TestSupport"]),
        tests("VectorRunner", ["Bytes", "TestSupport"]),
        tests("Store", ["AdminAPI", "Bytes", "Policy"]),
        tests(
            "BrokerCore",
            [
                "AdminAPI", "Authenticators", "Bytes", "Curl", "Endorsements", "Evidence", "Linux",
                "OpenSSL", "Policy", "Protocol", "SimulatedPSP", "Store", "TestSupport",
                "Verification",
                .logging,
            ]),
        tests(
            "KeyBroker",
            [
                "AdminAPI", "Authenticators", "BrokerCore", "Bytes", "Curl", "Endorsements",
                "Evidence", "Linux", "NetIO", "OpenSSL",
                "Policy",
                "Protocol", "Settings", "SimulatedPSP", "Store", "TestSupport", "Verification",
                .logging, .nioCore, .nioEmbedded, .nioPosix, .serviceLifecycle,
            ]),
        tests("LUKS", ["Bytes", "Linux", "OpenSSL"]),
        tests(
            "OwnerCLI",
            [
                "AdminAPI", "AgentAPI", "Authenticators", "Bytes", "Curl", "Evidence", "LUKS",
                "Linux", "OpenSSL", "Policy", "Prediction", "Protocol", "Settings", "SimulatedPSP",
                "TestSupport", "Verification", .argumentParser,
            ]),
        tests(
            "Attester", ["Bytes", "Evidence", "Linux", "OpenSSL", "Protocol", "TPM", "TestSupport"]),
        tests("BrokerLink", ["Bytes", "Linux", "OpenSSL", "Protocol"]),
        tests(
            "RuntimeCore",
            [
                "AgentAPI", "Attester", "BrokerLink", "Bytes", "Evidence", "Linux", "OpenSSL",
                "Protocol", "TPM", "TestBroker", "TestSupport",
            ]),
        tests(
            "RuntimeAgent",
            [
                "AgentAPI", "Attester", "Bytes", "Evidence", "Linux", "OpenSSL", "Protocol",
                "RuntimeCore", "Settings", "TPM", "TestSupport", .logging, .nioCore,
                .serviceLifecycle,
            ], excluding: ["endure"]),
        tests("TPM", ["Bytes", "OpenSSL", "TestSupport"]),
        tests(
            "InitramfsAgent",
            [
                "Attester", "BrokerLink", "Bytes", "Linux", "LUKS", "OpenSSL", "Protocol", "TPM",
                "TestBroker",
            ]),
    ]
)
