// swift-tools-version: 6.3
import PackageDescription

// The product's own sources (links to ../Sources), built with libFuzzer's and ASan's probes.

let probes = ["-sanitize=fuzzer,address"]

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .unsafeFlags(probes),
]

func swift(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "fuzz",
    targets: [
        .systemLibrary(
            name: "CCryptsetup", pkgConfig: "libcryptsetup",
            providers: [.apt(["libcryptsetup-dev"])]),
        .target(name: "CLibFuzzer"),
        swift("Bytes", []),
        swift("Protocol", ["Bytes"]),
        swift("Evidence", ["Bytes"]),
        swift("Policy", ["Bytes", "Evidence"]),
        swift("Settings", ["Bytes", "Evidence", "Policy"]),
        swift("LUKS", ["CCryptsetup", "Bytes"]),
        swift("FuzzTargets", ["Bytes", "Protocol", "Evidence", "Policy", "Settings", "LUKS"]),
        .executableTarget(
            name: "Fuzz", dependencies: ["CLibFuzzer", "FuzzTargets"], swiftSettings: strict,
            // gold stops at the debug information of the probes.
            linkerSettings: [.unsafeFlags(probes + ["-use-ld=lld"])]),
    ]
)
