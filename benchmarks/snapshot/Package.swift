// swift-tools-version: 6.3
import PackageDescription

// The product's own sources (links to ../../Sources) under a program that makes or reads one snapshot. Of
// RuntimeCore only what that needs.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

func swift(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "snapshot",
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CLinux"),
        swift("Bytes"),
        swift("AgentAPI"),
        swift("Protocol", ["Bytes"]),
        swift("Evidence", ["Bytes"]),
        swift("Linux", ["CLinux", "Bytes"]),
        swift("OpenSSL", ["COpenSSL", "Bytes", "Protocol"]),
        swift("RuntimeCore", ["AgentAPI", "Bytes", "Evidence", "Linux", "OpenSSL"]),
        .executableTarget(
            name: "snapshot",
            dependencies: ["AgentAPI", "Bytes", "Evidence", "Linux", "RuntimeCore"],
            path: "Sources/Measure", swiftSettings: strict),
    ]
)
