import AdminAPI
import Bytes
import Foundation
import OpenSSL
import Policy
import Prediction
import Settings
import Synchronization
import TestSupport
import Testing

@testable import OwnerCLI

private let hashing = OpenSSLHashing()

private func launch(
    _ firmware: FirmwareBuilder, processors: Int, kernel: [UInt8]? = nil
) throws -> String {
    var launch = SNPLaunch(processorCount: processors, processor: ProcessorType(name: "EPYC-Milan"))
    launch.kernel = kernel.map { KernelHashes(kernel: $0, commandLine: "ro", hashing: hashing) }
    return try SNPMeasurer(SNPFirmware(parsing: firmware.bytes), hashing: hashing)
        .digest(of: launch).hex
}

/// A folder with `OVMF.fd` and a kernel.
private func folder(_ firmware: FirmwareBuilder = FirmwareBuilder()) throws -> TestFolder {
    let folder = try TestFolder()
    try Data(firmware.bytes).write(to: URL(fileURLWithPath: folder.path + "/OVMF.fd"))
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: folder.path + "/vmlinuz"))
    return folder
}

private let measuring = [
    "measure", "snp", "--firmware", "OVMF.fd", "--vcpus", "4", "--vcpu-type", "EPYC-Milan-v2",
]

@Test("the first line of a prediction is the value, and what it covers stands below")
func prediction() throws {
    let folder = try folder()
    let ended = try run(measuring + ["--kernel", "vmlinuz", "--append", "ro"], in: folder)
    #expect(ended.status == 0)
    let lines = ended.output.split(separator: "\n")
    #expect(try lines.first.map(String.init) == launch(.init(), processors: 4, kernel: [1, 2, 3]))
    #expect(ended.output.contains("covers         firmware, kernel, initramfs, command line"))
    #expect(ended.output.contains("4 processors, type EPYC-Milan, guest features 0x1"))
}

@Test("a printed policy entry can be read as a policy's measurement")
func policyEntry() throws {
    let ended = try run(
        measuring + ["--kernel", "vmlinuz", "--append", "ro", "--policy-entry", "a \"b\" \\c"],
        in: folder())
    let policy = try AppraisalPolicy(toml: "name = \"web\"\n" + ended.output)
    let entry = try #require(policy.rules.measurements.first)
    #expect(entry.label == "a \"b\" \\c")
    let digest = try launch(.init(), processors: 4, kernel: [1, 2, 3])
    #expect(try entry.registers == .launchDigest(#require(FixedBytes(hex: digest))))
    #expect(entry.covers == [.firmware, .kernel, .initramfs, .commandLine])
}

@Test("a firmware without a table for hashes is named as covering no kernel")
func noHashTable() throws {
    let folder = try folder(#require(FirmwareBuilder.named["x64"]))
    let plain = try run(measuring, in: folder)
    #expect(plain.status == 0)
    #expect(plain.output.contains("covers         firmware\n"))
    #expect(plain.output.contains("its launch digest covers no kernel"))
    let refused = try run(measuring + ["--kernel", "vmlinuz"], in: folder)
    #expect(refused.status == 2)
    #expect(refused.output.isEmpty)
    #expect(refused.errors.contains("covers no kernel"))
}

@Test("a firmware without SEV metadata is refused by name")
func noMetadata() throws {
    var firmware = FirmwareBuilder()
    firmware.sections = nil
    let ended = try run(measuring, in: folder(firmware))
    #expect(ended.status == 2)
    #expect(ended.errors.contains("OVMF.fd: the firmware has no SEV metadata"))
}

@Test(
    "wrong usage of measure ends with 64",
    arguments: [
        ["--vcpus", "4"], ["--vcpus", "0", "--vmm", "ec2"],
        ["--vcpus", "4", "--vcpu-type", "i486"],
        ["--vcpus", "1", "--vmm", "ec2", "--initrd", "x"],
        ["--vcpus", "1", "--vmm", "ec2", "--guest-features", "0xg"],
        ["--vcpus", "1", "--vmm", "ec2", "--firmware-digest", "00"],
        ["--vcpus", "1", "--vmm", "ec2", "--policy-entry", ""],
        ["--vcpus", "1", "--vcpu-type", "EPYC", "--vcpu-signature", "1"],
    ])
func measureUsage(arguments: [String]) throws {
    let ended = try run(["measure", "snp", "--firmware", "OVMF.fd"] + arguments, in: folder())
    #expect(ended.status == 64, "\(ended.errors)")
    #expect(ended.output.isEmpty)
}

@Test(
    "a printed entry for a UKI can be read as a policy's registers, and says what they cover together"
)
func registerEntry() throws {
    let folder = try folder()
    let image = PEBuilder.unified([".linux", ".cmdline", ".initrd"])
    try Data(image.bytes).write(to: URL(fileURLWithPath: folder.path + "/image.efi"))
    func entry(_ arguments: [String]) throws -> ReferencePCRs {
        let ended = try run(
            ["measure", "uki", "image.efi", "--policy-entry", "a"] + arguments, in: folder)
        #expect(ended.status == 0, "\(ended.errors)")
        let text = try run(measuring + ["--kernel", "vmlinuz", "--policy-entry", "b"], in: folder)
        let policy = try AppraisalPolicy(toml: "name = \"web\"\n" + text.output + ended.output)
        return try #require(policy.rules.tpm.references.first)
    }
    let whole = try entry([])
    #expect(whole.values.keys.sorted() == [4, 9, 12, 13])
    #expect(whole.covers == [.kernel, .initramfs, .commandLine])
    let staged = try entry(["--phase", "enter-initrd", "--bank", "sha384"])
    #expect(staged.values.keys.sorted() == [4, 9, 11, 12, 13])
    #expect(staged.bank == .sha384)
    #expect(try entry(["--pcr", "4", "--pcr", "12"]).covers == [.kernel])
    #expect(try entry(["--pcr", "4", "--pcr", "11", "--pcr", "9"]).values.count == 2)
}

@Test("files that the stub would overlook, and registers that cannot be known, end with 2")
func unusableImage() throws {
    let folder = try folder()
    let image = PEBuilder.unified([".linux"], stub: "256")
    try Data(image.bytes).write(to: URL(fileURLWithPath: folder.path + "/image.efi"))
    let all = try run(["measure", "uki", "image.efi"], in: folder)
    #expect(all.status == 0)
    #expect(all.output.contains("PCR 4 cannot be known without a systemd-stub 257"))
    #expect(try run(["measure", "uki", "image.efi", "--pcr", "4"], in: folder).status == 2)
    #expect(try run(["measure", "uki", "OVMF.fd"], in: folder).status == 2)
    #expect(
        try run(["measure", "uki", "image.efi", "--credential", "vmlinuz"], in: folder).status == 2)
    for arguments in [
        ["--pcr", "7"], ["--bank", "md5"], ["--phase", "a::b"], ["--profile", "-1"],
    ] {
        #expect(try run(["measure", "uki", "image.efi"] + arguments, in: folder).status == 64)
    }
}

private func refused(_ measurement: String) -> String {
    JSONText.compact(
        LaunchRecord(
            reference: "L-00041", launchID: "00", vm: "web-1", time: 0, timeText: "", from: "",
            platform: "SNP Milan", decision: .refused, refusedChecks: ["measurement"],
            outcome: .none, tookMilliseconds: 1, measurement: measurement, findings: []))
}

@Test("why names the variant that fits a refused launch digest")
func whyVariant() throws {
    let folder = try folder()
    let broker = try StubBroker(in: folder)
    let files = ["--firmware", "OVMF.fd", "--kernel", "vmlinuz", "--append", "ro"]
    let asking = ["--socket", broker.socket, "why", "L-00041"] + files
    let came = try launch(.init(), processors: 8, kernel: [1, 2, 3])
    broker.state.withLock { $0.fixedAnswer = (200, refused(came)) }
    let ended = try run(asking, in: folder)
    #expect(ended.status == 1)
    #expect(
        ended.output.contains(
            "Hint: the value is that of these files with 8 processors, type EPYC-Milan, "
                + "guest features 0x1, kernel hashes on, under qemu."))
    let json = try run(["--json"] + asking, in: folder)
    #expect(json.output.contains("\"variant\" : {"))

    let other = try launch(.init(), processors: 8, kernel: [9])
    broker.state.withLock { $0.fixedAnswer = (200, refused(other)) }
    #expect(
        try run(asking, in: folder).output
            .contains("Hint: no usual variant of these files has the value"))
    #expect(try run(["why", "L-00041", "--kernel", "vmlinuz"], in: folder).status == 64)
}

@Test("a variant is told by how it differs from the one that the policy knows")
func difference() throws {
    let measurer = try SNPMeasurer(
        SNPFirmware(parsing: FirmwareBuilder().bytes), hashing: hashing)
    var meant = SNPLaunch(processorCount: 4, processor: ProcessorType(name: "EPYC-Milan"))
    var came = meant
    came.processorCount = 8
    came.features = 0x21
    meant.kernel = KernelHashes(kernel: [1], hashing: hashing)
    let (known, digest) = (try measurer.digest(of: meant), try measurer.digest(of: came))
    let explanation = LaunchVariants.explanation(
        of: digest, known: [ReferenceMeasurement(label: "image 7", value: known, covers: [])],
        found: [known: meant, digest: came])
    #expect(
        explanation.sentence
            == "the value fits \"image 7\" with 8 processors instead of 4, guest features 0x21 "
            + "instead of 0x1, kernel hashes off instead of on")
    let unknown = LaunchVariants.explanation(
        of: FixedBytes(), known: [ReferenceMeasurement(label: "a", value: known, covers: [])],
        found: [known: meant])
    #expect(unknown.sentence.hasSuffix("those of \"a\", and the VM booted others"))
}
