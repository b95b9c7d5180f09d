import Bytes
import Foundation
import OpenSSL
import TestSupport
import Testing

@testable import Prediction

private let hashing = OpenSSLHashing()
private let usual = [".osrel", ".cmdline", ".uname", ".linux", ".initrd", ".sbat"]

private func image(_ builder: PEBuilder, profile: Int = 0) throws -> UnifiedKernelImage {
    try UnifiedKernelImage(parsing: builder.bytes, profile: profile)
}

private func prediction(
    _ builder: PEBuilder = .unified(usual), _ boot: UKIBoot = UKIBoot()
) throws -> UKIPrediction {
    try UKIPrediction(image(builder, profile: boot.profile), boot, bank: .sha256, hashing: hashing)
}

/// A line of `Vectors/uki-pcr11.tsv`: sections, bank, phase and what systemd-measure 257 says.
struct RecordedKernelRegister: Sendable, CustomTestStringConvertible {
    let fields: [String]
    var testDescription: String { fields.dropLast().joined(separator: " ") }

    static let all: [RecordedKernelRegister] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Vectors/uki-pcr11.tsv")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map {
            RecordedKernelRegister(fields: $0.components(separatedBy: "\t"))
        }
    }()
}

@Test("systemd-measure's values are at hand")
func recordedCount() {
    #expect(RecordedKernelRegister.all.count == 48)
}

@Test("PCR 11 is what systemd-measure says", arguments: RecordedKernelRegister.all)
func kernelRegister(_ recorded: RecordedKernelRegister) throws {
    let fields = recorded.fields
    // The order in the file does not count, and a signature of the values is not measured.
    let names = fields[0].split(separator: ",").map(String.init).reversed() + [".pcrsig"]
    let parsed = try image(.unified(Array(names)))
    let prediction = try UKIPrediction(
        parsed, bank: #require(HashAlgorithm(rawValue: fields[1])), hashing: hashing)
    let phases = fields[2].split(separator: ":").map(String.init)
    #expect(Hex.encode(prediction.kernelRegister(after: phases)?.value ?? []) == fields[3])
}

@Test("PCR 4 holds the firmware's marks and the images that it loads, in order")
func imageRegister() throws {
    var boot = UKIBoot()
    boot.loaders = [PEBuilder([.init(".text", [9])]).bytes]
    boot.addons = [StubFile(name: "b.addon.efi", bytes: PEBuilder([.init(".cmdline", [98])]).bytes)]
    boot.globalAddons = [
        StubFile(name: "z.addon.efi", bytes: PEBuilder([.init(".cmdline", [97])]).bytes)
    ]
    let register = try #require(prediction(.unified(usual), boot).registers[4])
    #expect(
        register.events.map(\.what) == [
            "EV_EFI_ACTION", "EV_SEPARATOR", "loader 1 (Authenticode)", "UKI (Authenticode)",
            "z.addon.efi (Authenticode)", "b.addon.efi (Authenticode)", "kernel (Authenticode)",
        ])
    // The first two are those of every log of an edk2 firmware.
    #expect(Hex.encode(register.events[0].digest).hasPrefix("3d6772b4f84ed475"))
    #expect(Hex.encode(register.events[1].digest).hasPrefix("df3f619804a92fdb"))
    var value = [UInt8](repeating: 0, count: 32)
    for event in register.events { value = hashing.sha256(value + event.digest).bytes }
    #expect(register.value == value)
}

@Test("nothing beside the image leaves PCR 12 and 13 untouched")
func untouched() throws {
    let registers = try prediction().registers
    #expect(registers[12]?.value == [UInt8](repeating: 0, count: 32))
    #expect(registers[13]?.value == [UInt8](repeating: 0, count: 32))
    #expect(registers[9]?.events.map(\.what) == ["command line", "initrd"])
}

@Test("a passed command line is measured and replaces the image's own, unless Secure Boot is on")
func passedCommandLine() throws {
    let own = try prediction()
    var boot = UKIBoot()
    boot.commandLine = "\t a\u{1}b \u{1f600}c  "
    let passed = try prediction(.unified(usual), boot)
    let text: [UInt8] = [97, 0, 32, 0, 98, 0, 32, 0, 99, 0, 0, 0]
    #expect(passed.registers[12]?.events.map(\.digest) == [hashing.sha256(text).bytes])
    #expect(passed.registers[9]?.events.first?.digest == hashing.sha256(text).bytes)
    boot.isSecureBoot = true
    #expect(try prediction(.unified(usual), boot).registers == own.registers)
    boot.isSecureBoot = false
    boot.commandLine = "  "
    #expect(try prediction(.unified(usual), boot).registers == own.registers)
}

@Test("add-ons, credentials and extensions are measured in the stub's order, by name")
func filesBeside() throws {
    func addon(_ sections: [PEBuilder.Section]) -> [UInt8] { PEBuilder(sections).bytes }
    var boot = UKIBoot()
    boot.credentials = [.init(name: "b.cred", bytes: [2]), .init(name: "a.cred", bytes: [1])]
    boot.globalCredentials = [.init(name: "g.cred", bytes: [3])]
    boot.systemExtensions = [.init(name: "s.raw", bytes: [4])]
    boot.configurationExtensions = [.init(name: "c.confext.raw", bytes: [5])]
    boot.addons = [
        .init(name: "2.addon.efi", bytes: addon([.init(".cmdline", [98]), .init(".ucode", [7])])),
        .init(
            name: "1.addon.efi",
            bytes: addon([.init(".cmdline", [97]), .init(".initrd", [8]), .init(".dtb", [9])])),
        .init(name: "3.addon.efi", bytes: addon([.init(".uname", [0]), .init(".initrd", [8])])),
        .init(name: "4.addon.efi", bytes: addon([.init(".linux", [0]), .init(".initrd", [8])])),
    ]
    let registers = try prediction(.unified(usual), boot).registers
    #expect(
        registers[12]?.events.map(\.what) == [
            "command line of add-ons", "device tree of 1.addon.efi", "credentials",
            "global credentials", "configuration extensions", "microcode of 2.addon.efi",
            "initrd of 1.addon.efi",
        ])
    let line: [UInt8] = [97, 0, 32, 0, 98, 0, 0, 0]
    #expect(registers[12]?.events.first?.digest == hashing.sha256(line).bytes)
    #expect(registers[13]?.events.map(\.what) == ["system extensions"])
    let other = boot.credentials
    boot.credentials = other.reversed()
    #expect(try prediction(.unified(usual), boot).registers == registers)
}

@Test("an archive of the stub is newc, with its folders first and an end record in capitals")
func archive() {
    var archive = StubArchive(
        directory: ".extra/credentials", directoryMode: 0o500, fileMode: 0o400)
    archive.file("a", [0x78])
    func entry(_ inode: String, _ mode: String, _ size: String, _ length: String) -> String {
        let zeros = String(repeating: "0", count: 16)
        let owner = zeros + "00000001" + "00000000"
        return "070701" + inode + mode + owner + size + zeros + zeros + length + "00000000"
    }
    let text =
        entry("00000001", "0000416d", "00000000", "00000007") + ".extra\0\0\0\0"
        + entry("00000002", "00004140", "00000000", "00000013") + ".extra/credentials\0\0\0\0"
        + entry("00000003", "00008100", "00000001", "00000015") + ".extra/credentials/a\0\0"
        + "x\0\0\0" + entry("00000000", "00000000", "00000000", "0000000B") + "TRAILER!!!\0\0\0\0"
    var aligned: [UInt8] = Array(text.utf8)
    #expect(archive.bytes.count % 4 == 0)
    // Padding depends on each name; compare without it.
    aligned.removeAll { $0 == 0 }
    #expect(archive.bytes.filter { $0 != 0 } == aligned)
}

@Test("a profile's sections replace those before the first profile")
func profiles() throws {
    let builder = PEBuilder([
        .init(".linux", PEBuilder.content(".linux")), .init(".cmdline", [97]),
        .init(".profile", [1]), .init(".cmdline", [98]),
        .init(".profile", [2]), .init(".cmdline", [99]), .init(".initrd", [100]),
    ])
    #expect(try image(builder).contents[.cmdline] == [98])
    let second = try image(builder, profile: 1)
    #expect(second.contents[.cmdline] == [99])
    #expect(second.contents[.profile] == [2])
    #expect(second.sections == [.linux, .cmdline, .initrd, .profile])
    #expect(throws: PredictionError.self) { try image(builder, profile: 2) }
    #expect(throws: PredictionError.self) { try image(.unified(usual), profile: 1) }
    var boot = UKIBoot()
    boot.profile = 1
    var stubbed = builder
    stubbed.sections.insert(PEBuilder.unified([]).sections[1], at: 0)
    #expect(
        try prediction(stubbed, boot).registers[12]?.events.map(\.digest)
            == [hashing.sha256([49, 0, 0, 0]).bytes])
}

@Test("images that hide or confuse sections are refused")
func traps() {
    func fault(_ builder: PEBuilder) -> PredictionError? {
        do {
            _ = try image(builder)
            return nil
        } catch let error as PredictionError {
            return error
        } catch {
            return nil
        }
    }
    func malformed(_ field: String, _ rule: String) -> PredictionError {
        .malformed(file: "UKI", .invalid(field: field, rule: rule))
    }
    #expect(fault(.unified([".osrel"])) == malformed(".linux", "is in every UKI"))
    #expect(
        fault(.unified(usual + [".cmdline"])) == malformed(".cmdline", "stands there once"))
    var huge = PEBuilder.unified(usual)
    huge.sections.append(.init(".x", [1], virtualSize: PEImage.maximumSize))
    #expect(fault(huge) != nil)
    var bytes = PEBuilder.unified(usual).bytes
    // The second section's address is the first one's.
    bytes[PEBuilder.table + 40 + 13] = 0
    #expect(
        throws: malformed("VirtualAddress", "lies behind the section before")
    ) { try UnifiedKernelImage(parsing: bytes) }
}

@Test("what only another stub or the machine decides is not predicted, by name")
func unknown() throws {
    for stub in ["256.4", "258~rc1", nil] {
        let prediction = try prediction(.unified(usual, stub: stub))
        #expect(prediction.unknown.keys.sorted() == [4, 9, 12, 13])
        #expect(prediction.registers.keys.sorted() == [11])
    }
    let machine = try prediction(.unified(usual + [".dtbauto"]))
    #expect("\(try #require(machine.unknown[11]))".contains("machine that chooses"))
}

@Test("memory behind a section's stored bytes is measured as zero bytes")
func zeroFilled() throws {
    var builder = PEBuilder.unified([".linux"])
    builder.sections.append(.init(".cmdline", [97], virtualSize: 3))
    #expect(try image(builder).contents[.cmdline] == [97, 0, 0])
    builder.sections.append(.init(".initrd", [98], virtualSize: 0))
    #expect(try image(builder).contents[.initrd] == nil)
}
