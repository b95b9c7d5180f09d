import Bytes
import Evidence
import Foundation
import OpenSSL
import TestSupport
import Testing

@testable import Prediction

private let hashing = OpenSSLHashing()

private func fault(_ change: (inout FirmwareBuilder.Image) -> Void) -> PredictionError? {
    var image = FirmwareBuilder.td.image()
    change(&image)
    do {
        _ = try TDXFirmware(parsing: image.bytes)
        return nil
    } catch {
        return error
    }
}

private func malformed(_ error: ParseError) -> PredictionError {
    .malformed(file: "firmware", error)
}

@Test("MRTD is what was computed apart from this code, in both orders")
func measurement() throws {
    let firmware = try TDXFirmware(parsing: FirmwareBuilder.td.bytes)
    #expect(
        firmware.measurement(.interleaved, hashing: hashing).hex
            == "07f398526ad4cff6fbf903444623573032b08d4b88a7b1e5"
            + "d44102291250f66c67dae79eb6f5cc5492dd6e2251f178c9")
    #expect(
        firmware.measurement(.twoPass, hashing: hashing).hex
            == "69628b6d4daec89c1ddb0b0b5f4ee018faf9bb21e7e73c51"
            + "110ab3a84cccbbb9c9c4f6963ae1973f81ce8705cd67e95a")
}

@Test("MRTD counts each byte of the boot volume and none of the configuration volume")
func measuredBytes() throws {
    var bytes = FirmwareBuilder.td.bytes
    let before = try TDXFirmware(parsing: bytes).measurement(.interleaved, hashing: hashing)
    bytes[0xfff] ^= 1
    #expect(
        try TDXFirmware(parsing: bytes).measurement(.interleaved, hashing: hashing) == before)
    bytes[0x1000] ^= 1
    #expect(
        try TDXFirmware(parsing: bytes).measurement(.interleaved, hashing: hashing) != before)
}

@Test("an image without TDX metadata is named as such, and each field is held to its rule")
func metadata() {
    #expect(throws: PredictionError.noTDXMetadata) {
        try TDXFirmware(parsing: FirmwareBuilder().bytes)
    }
    let start = FirmwareBuilder.td.bytes.count - 2048
    func fault(_ value: [UInt8], at offset: Int) -> PredictionError? {
        PredictionTests.fault {
            $0.bytes.replaceSubrange((start + offset)..<(start + offset + value.count), with: value)
        }
    }
    #expect(fault([], at: 0) == nil)
    #expect(fault([0], at: 0) == malformed(.invalid(field: "TDVF signature", rule: "is TDVF")))
    #expect(
        fault([177], at: 4)
            == malformed(.invalid(field: "TDVF length", rule: "is that of its sections")))
    #expect(fault([2], at: 8) == malformed(.outOfRange(field: "TDVF version", value: 2)))
    for count: UInt8 in [0, 65] {
        #expect(
            fault([count], at: 12)
                == malformed(.outOfRange(field: "TDVF section count", value: UInt64(count))))
    }
    let whole = malformed(.invalid(field: "TDVF section", rule: "consists of whole pages"))
    #expect(fault([1], at: 16 + 8) == whole)
    #expect(fault([1], at: 16 + 16) == whole)
    #expect(fault([0, 0x10], at: 16 + 16) != nil)
    #expect(fault([0xff, 0xff], at: 16 + 4) != nil)
    #expect(fault([9], at: 16 + 24) == malformed(.outOfRange(field: "TDVF section type", value: 9)))
    for attributes: UInt8 in [3, 4] {
        #expect(
            fault([attributes], at: 16 + 28)
                == malformed(
                    .outOfRange(field: "TDVF section attributes", value: UInt64(attributes))))
    }
    #expect(
        fault([0], at: 16 + 28)
            == malformed(.invalid(field: "TDVF boot volume", rule: "is measured")))
    #expect(
        fault([0, 0xc0], at: 16 + 8)
            == malformed(.invalid(field: "TDVF section", rule: "overlaps no other")))
    #expect(
        fault([1], at: 16 + 3 * 32 + 24)
            == malformed(.invalid(field: "TDVF configuration volume", rule: "stands there once")))
    // More memory than any firmware needs, to be added page by page.
    #expect(fault([0, 0, 0, 0xff], at: 16 + 2 * 32 + 16) != nil)
}

private func event(_ register: Int, _ type: UInt32, _ data: [UInt8], _ measured: [UInt8])
    -> EventLog.Event
{
    EventLog.Event(
        register: register, type: EventType(rawValue: type),
        digests: [.init(.sha384, hashing.sha384(measured).bytes)], data: data)
}

private func tag(_ number: UInt32, _ measured: [UInt8]) -> EventLog.Event {
    var data = ByteWriter()
    data.littleEndian(number)
    data.littleEndian(UInt32(0))
    return event(3, 6, data.bytes, measured)
}

private func volume(_ address: UInt64 = 0xffff_c000) -> EventLog.Event {
    var data = ByteWriter()
    data.raw("x".utf8)
    data.littleEndian(address)
    data.littleEndian(UInt64(0x1000))
    return event(1, 0x8000_000a, data.bytes, Array(FirmwareBuilder.td.bytes[..<0x1000]))
}

private let kernel = PEBuilder([.init(".text", [1])]).bytes

/// A log of a directly booted kernel, whose every digest is that of `content`.
private func sampleLog(
    _ content: UInt8, volume first: EventLog.Event = volume()
) throws -> EventLog {
    try EventLog(
        source: .confidentialComputing, banks: [.sha384],
        events: [
            first, event(1, 0x8000_000b, [], [content]),
            event(1, 0x0a, Array("ACPI DATA".utf8), [content]),
            event(2, 0x8000_0003, [], [content]), event(2, 0x8000_0007, [], [9]),
            tag(0x8f3b_22ed, [content]), tag(0x8f3b_22ec, [content]), event(4, 0x0d, [], [content]),
        ])
}

private func predict(_ boot: TDXBoot, _ log: EventLog?) throws -> TDXPrediction {
    try TDXPrediction(
        TDXFirmware(parsing: FirmwareBuilder.td.bytes), .interleaved, boot: boot, log: log,
        hashing: hashing)
}

@Test("what is given replaces the log's digests, and the rest is listed as taken from it")
func alongLog() throws {
    var boot = TDXBoot()
    boot.images = [kernel]
    boot.commandLine = "ro"
    boot.initrd = [5]
    boot.acpi = [[6]]
    boot.handOff = [7]
    let one = try predict(boot, sampleLog(1))
    let other = try predict(boot, sampleLog(2))
    #expect(one.registers == other.registers)
    #expect(one.fromLog == ["RTMR1: EV_EFI_ACTION"])
    let line: [UInt8] = Array("ro initrd=initrd\0".utf8).flatMap { [$0, 0] }
    #expect(one.registers[2]?.events.map(\.digest) == [line, [5]].map { hashing.sha384($0).bytes })
    let plain = try predict(TDXBoot(), sampleLog(1))
    #expect(plain.fromLog.count == 6)
    #expect(plain.registers[1] != one.registers[1])
}

@Test("a prediction along a log, with nothing given but the firmware, is the log's own replay")
func replay() throws {
    let log = try sampleLog(3)
    let prediction = try predict(TDXBoot(), log)
    for index in 0..<3 {
        var value = [UInt8](repeating: 0, count: 48)
        for event in log.events where event.register == index + 1 {
            value = hashing.sha384(value + (event.digest(.sha384) ?? [])).bytes
        }
        #expect(prediction.registers[index]?.value == value)
    }
}

@Test("what the log has no event for, and what only a log can tell, is refused by name")
func missing() throws {
    var boot = TDXBoot()
    boot.images = [kernel]
    #expect(throws: TDXPrediction.missing(1, TDXPrediction.needsLog)) { try predict(boot, nil) }
    let alone = try predict(TDXBoot(), nil)
    #expect(alone.unknown.keys.sorted() == [0, 1, 2])
    #expect(alone.registers.isEmpty)
    boot.images = [kernel, kernel]
    #expect(throws: TDXPrediction.missing(1, "a log that has an event of every image")) {
        try predict(boot, sampleLog(1))
    }
    boot = TDXBoot()
    boot.acpi = [[1], [2]]
    #expect(throws: TDXPrediction.missing(0, "a log that has an event of ACPI data")) {
        try predict(boot, sampleLog(1))
    }
    #expect(throws: TDXPrediction.missing(0, "a log of this very firmware")) {
        try predict(TDXBoot(), sampleLog(1, volume: volume(0xffff_b000)))
    }
}

@Test("a UKI in a log is replaced image by image and section by section")
func unifiedImage() throws {
    let image = PEBuilder.unified([".linux", ".cmdline", ".initrd"]).bytes
    var boot = TDXBoot()
    boot.unifiedImage = image
    let log = try EventLog(
        source: .confidentialComputing, banks: [.sha384],
        events: [volume(), event(2, 0x8000_0003, [], [1]), event(2, 0x8000_0003, [], [2])]
            + (0..<6).map { _ in event(3, 0x0d, [], [3]) }
            + [tag(0x8f3b_22ed, [4]), tag(0x8f3b_22ec, [5])])
    let prediction = try predict(boot, log)
    #expect(prediction.fromLog.isEmpty)
    let registers = try UKIPrediction(
        UnifiedKernelImage(parsing: image), bank: .sha384, hashing: hashing
    ).registers
    let expected = [11, 9].flatMap { registers[$0]?.events.map(\.digest) ?? [] }
    #expect(prediction.registers[2]?.events.map(\.digest) == expected)
    #expect(
        prediction.registers[1]?.events.map(\.digest)
            == registers[4]?.events.map(\.digest).suffix(2))
}

@Test(
    "real logs of OVMF are followed to their own replay, once the configuration volume is the same",
    .enabled(if: TestFiles.vectors != nil), arguments: ["ccel-data-ovmf", "ccel-dstack"])
func realLog(name: String) throws {
    let folder = try #require(TestFiles.vectors)
    let log = try EventLog(
        parsing: TestFiles.bytes(folder.appendingPathComponent("eventlog/\(name)/ccel.bin")),
        from: .confidentialComputing)
    let variables = "/usr/share/OVMF/OVMF_VARS_4M.fd"
    guard let data = FileManager.default.contents(atPath: variables) else {
        print("\(variables): not found, skipped")
        return
    }
    // Debian's empty variables are those of both logs; 4 MiB of firmware around them.
    var builder = FirmwareBuilder.td
    builder.pages = 1024
    builder.tdxSections = [
        (0x8_4000, 0x37_c000, 0xffc8_4000, 0x37_c000, 0, 1),
        (0, 0x8_4000, 0xffc0_0000, 0x8_4000, 1, 0),
    ]
    var bytes = builder.bytes
    bytes.replaceSubrange(0..<data.count, with: [UInt8](data))
    let prediction = try TDXPrediction(
        TDXFirmware(parsing: bytes), .interleaved, log: log, hashing: hashing)
    for index in 0..<3 {
        var value = [UInt8](repeating: 0, count: 48)
        for event in log.events where event.extends && event.register == index + 1 {
            value = hashing.sha384(value + (event.digest(.sha384) ?? [])).bytes
        }
        #expect(prediction.registers[index]?.value == value)
    }
    #expect(!prediction.fromLog.contains("RTMR0: configuration volume"))
}
