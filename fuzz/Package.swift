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
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CLibFuzzer"),
        .target(name: "CLinux"),
        .target(name: "CTSS2"),
        swift("Bytes", []),
        swift("Protocol", ["Bytes"]),
        swift("Evidence", ["Bytes"]),
        swift("Prediction", ["Bytes", "Evidence"]),
        swift("Policy", ["Bytes", "Evidence"]),
        swift("AdminAPI", ["Bytes", "Policy"]),
        swift("Settings", ["Bytes", "Evidence", "Policy"]),
        swift("LUKS", ["CCryptsetup", "Bytes"]),
        swift("Curl", ["CCurl", "Bytes"]),
        swift("Linux", ["CLinux", "Bytes"]),
        swift("OpenSSL", ["COpenSSL", "Bytes", "Protocol"]),
        swift("TPM", ["CTSS2", "Bytes"]),
        swift("Attester", ["Bytes", "Protocol", "Evidence", "Linux", "TPM"]),
        swift("Verification", ["Bytes", "Evidence", "Policy", "OpenSSL"]),
        swift("Endorsements", ["Bytes", "Evidence", "AdminAPI", "Curl", "Linux", "OpenSSL"]),
        swift(
            "FuzzTargets",
            [
                "Bytes", "Protocol", "Evidence", "Prediction", "Policy", "Settings", "LUKS",
                "OpenSSL",
                "Attester", "Verification", "Endorsements",
            ]),
        .executableTarget(
            name: "Fuzz", dependencies: ["CLibFuzzer", "FuzzTargets"], swiftSettings: strict,
            // gold stops at the debug information of the probes.
            linkerSettings: [.unsafeFlags(probes + ["-use-ld=lld"])]),
    ]
)
