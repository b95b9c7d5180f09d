// swift-tools-version: 6.3
import PackageDescription

// The parsers and state machines of ../Sources, built once more with the fuzzer's instrumentation.
// A package of its own, so that `swift build` never meets it; the sources are symbolic links.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"]),
]

func swift(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "bootgate-fuzz",
    targets: [
        .systemLibrary(
            name: "CCryptsetup", pkgConfig: "libcryptsetup",
            providers: [.apt(["libcryptsetup-dev"])]),
        swift("Bytes"),
        swift("Protocol", ["Bytes"]),
        swift("Evidence", ["Bytes"]),
        swift("Policy", ["Bytes", "Evidence"]),
        swift("Settings", ["Bytes", "Evidence", "Policy"]),
        swift("LUKS", ["CCryptsetup", "Bytes"]),
        .executableTarget(
            name: "Fuzz",
            dependencies: ["Bytes", "Protocol", "Evidence", "Policy", "Settings", "LUKS"],
            swiftSettings: settings, linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]),
    ]
)
