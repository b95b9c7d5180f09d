import Bytes
import Foundation
import OpenSSL
import TestSupport
import Testing

@testable import Prediction

private let hashing = OpenSSLHashing()

/// A line of `Vectors/snp-launches.tsv`: a launch, and what sev-snp-measure 0.0.13 says of it.
struct RecordedLaunch: Sendable, CustomTestStringConvertible {
    let line: String
    private let fields: [String]

    init(_ line: String) throws {
        self.line = line
        fields = line.components(separatedBy: "\t")
        try #require(fields.count == 10)
    }

    var testDescription: String { line }
    var expected: String { fields[9] }

    static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Vectors/snp-launches.tsv")
    static let all: [RecordedLaunch] =
        (try? String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
            try RecordedLaunch(String($0))
        }) ?? []

    func predicted() throws -> String {
        let bytes = try #require(FirmwareBuilder.named[fields[0]]).bytes
        let firmware = try SNPFirmware(parsing: bytes)
        var measurer = SNPMeasurer(firmware, hashing: hashing)
        if fields[8] == "by-digest" {
            let digest = measurer.firmwareDigest
            measurer = SNPMeasurer(firmware, firmwareDigest: digest, hashing: hashing)
        }
        var launch = SNPLaunch(
            processorCount: try #require(Int(fields[3])), processor: ProcessorType(name: fields[2]))
        launch.hypervisor = try #require(HypervisorType(rawValue: fields[1]))
        launch.features = try #require(UInt64(fields[4].dropFirst(2), radix: 16))
        if fields[5] != "-" {
            launch.kernel = KernelHashes(
                kernel: FirmwareBuilder.files[fields[5]] ?? [],
                initrd: FirmwareBuilder.files[fields[6]] ?? [],
                commandLine: fields[7] == "-" ? "" : fields[7], hashing: hashing)
        }
        return try measurer.digest(of: launch).hex
    }
}

@Test("there are at least fifty launches to compare")
func launchCount() {
    #expect(RecordedLaunch.all.count >= 50)
}

@Test("a predicted launch digest is what sev-snp-measure recorded", arguments: RecordedLaunch.all)
func recordedLaunch(_ launch: RecordedLaunch) throws {
    #expect(try launch.predicted() == launch.expected)
}

@Test("predicted launch digests equal those of sev-snp-measure as it is installed")
func launchesEqualTheTool() throws {
    let kept = ProcessInfo.processInfo.environment["BOOTGATE_KEEP_LAUNCHES"]
    let folder = kept ?? NSTemporaryDirectory() + "bootgate-launches-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { if kept == nil { try? FileManager.default.removeItem(atPath: folder) } }
    for (name, firmware) in FirmwareBuilder.named {
        try Data(firmware.bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    for (name, bytes) in FirmwareBuilder.files {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    guard let lines = try Tool.sevSNPMeasure(folder: folder) else {
        print("sev-snp-measure: not found, skipped; tools/install-sev-snp-measure installs it")
        return
    }
    #expect(lines.count == RecordedLaunch.all.count)
    for (line, launch) in zip(lines, RecordedLaunch.all) {
        #expect(try line.hasSuffix("\t" + launch.predicted()))
        #expect(line == launch.line)
    }
}

@Test("Debian's OVMF with a page for kernel hashes put into it is measured as sev-snp-measure does")
func debianFirmware() throws {
    let path = "/usr/share/ovmf/OVMF.fd"
    guard let data = FileManager.default.contents(atPath: path) else {
        print("\(path): not found, skipped")
        return
    }
    var bytes = [UInt8](data)
    #expect(try !SNPFirmware(parsing: bytes).coversKernel)
    // One of the sections becomes the page, and the table's address points into it.
    let section = bytes.firstRange(of: [UInt8](hex: "00a080000030000001000000"))
    try bytes.replaceSubrange(
        #require(section), with: [UInt8](hex: "00a080000010000010000000"))
    let area = try #require(bytes.firstRange(of: [0x1a, 0] + FirmwareBuilder.hashArea)).lowerBound
    bytes.replaceSubrange((area - 8)..<area, with: [UInt8](hex: "00a4800000040000"))
    let firmware = try SNPFirmware(parsing: bytes)
    #expect(firmware.coversKernel)
    var launch = SNPLaunch(processorCount: 4, processor: ProcessorType(name: "EPYC-Genoa"))
    launch.kernel = KernelHashes(
        kernel: FirmwareBuilder.files["kernel"] ?? [], commandLine: "quiet", hashing: hashing)
    let digest = try SNPMeasurer(firmware, hashing: hashing).digest(of: launch).hex

    let folder = NSTemporaryDirectory() + "bootgate-debian-ovmf-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/debian"))
    try Data(FirmwareBuilder.files["kernel"] ?? [])
        .write(to: URL(fileURLWithPath: "\(folder)/kernel"))
    let line = "debian\tqemu\tEPYC-Genoa\t4\t0x1\tkernel\t-\tquiet\twhole\t"
    guard let lines = try Tool.sevSNPMeasure(folder: folder, input: line + "?\n") else {
        print("sev-snp-measure: not found, skipped; tools/install-sev-snp-measure installs it")
        return
    }
    #expect(lines == [line + digest])
}

/// The reference implementation, where it is installed.
enum Tool {
    /// The completed lines; nil where the module cannot be imported.
    static func sevSNPMeasure(folder: String, input: String? = nil) throws -> [String]? {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let root = here.deletingLastPathComponent().deletingLastPathComponent()
        let installed = root.appendingPathComponent(".lab/sev-snp-measure/bin/python3").path
        let python =
            FileManager.default.isExecutableFile(atPath: installed) ? installed : "/usr/bin/python3"
        guard FileManager.default.isExecutableFile(atPath: python) else { return nil }
        let launches = "\(folder)/launches.tsv"
        try (input ?? String(contentsOf: RecordedLaunch.file, encoding: .utf8))
            .write(toFile: launches, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [
            "-B", here.appendingPathComponent("Vectors/sev-snp-measure.py").path, folder,
        ]
        process.standardInput = FileHandle(forReadingAtPath: launches)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        if process.terminationStatus == 3 { return nil }
        try #require(process.terminationStatus == 0)
        return text.split(separator: "\n").map(String.init)
    }
}
