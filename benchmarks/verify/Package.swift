// swift-tools-version: 6.3
import PackageDescription

// The product's own sources (links to ../../Sources) under a program that does one thing many times.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

func swift(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "verify",
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        swift("Bytes", []),
        swift("Protocol", ["Bytes"]),
        swift("Evidence", ["Bytes"]),
        swift("Policy", ["Bytes", "Evidence"]),
        swift("OpenSSL", ["COpenSSL", "Bytes", "Protocol"]),
        swift("Verification", ["Bytes", "Evidence", "Policy", "OpenSSL"]),
        .executableTarget(
            name: "verify",
            dependencies: ["Bytes", "Evidence", "OpenSSL", "Policy", "Verification"],
            path: "Sources/Verify", swiftSettings: strict),
    ]
)
