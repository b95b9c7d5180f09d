import Bytes
import OpenSSL
import TestSupport
import Testing

@testable import Prediction

private let hashing = OpenSSLHashing()

private func malformed(_ error: ParseError) -> PredictionError {
    .malformed(file: "firmware", error)
}

private func with(_ change: (inout FirmwareBuilder) -> Void) -> FirmwareBuilder {
    var firmware = FirmwareBuilder()
    change(&firmware)
    return firmware
}

/// What comes of an image; nil if it can be used.
private func fault(_ bytes: [UInt8]) -> PredictionError? {
    do {
        _ = try SNPFirmware(parsing: bytes)
        return nil
    } catch {
        return error
    }
}

private func fault(_ firmware: FirmwareBuilder) -> PredictionError? { fault(firmware.bytes) }

private func fault(_ change: (inout FirmwareBuilder.Image) -> Void) -> PredictionError? {
    var image = FirmwareBuilder().image()
    change(&image)
    return fault(image.bytes)
}

@Test(
    "an image without OVMF's table, without SEV metadata or without a hash table is named as such")
func namedFirmware() throws {
    #expect(fault(with { $0.hasTable = false }) == .noFirmwareTable)
    #expect(fault(with { $0.sections = nil }) == .noSEVMetadata)
    let plain = try SNPFirmware(parsing: #require(FirmwareBuilder.named["x64"]).bytes)
    #expect(!plain.coversKernel)
    var launch = SNPLaunch(processorCount: 1, processor: ProcessorType(name: "EPYC"))
    launch.kernel = KernelHashes(kernel: [1], hashing: hashing)
    #expect(throws: PredictionError.noKernelHashes) {
        try SNPMeasurer(plain, hashing: hashing).digest(of: launch)
    }
    #expect("\(PredictionError.noKernelHashes)".contains("covers no kernel"))
}

@Test("an image must consist of whole pages, and there are 1 to 4096 of them")
func imageSize() {
    for count in [0, 1, 4095, 4097, FirmwareFile.maximumSize + 4096] {
        #expect(
            fault([UInt8](repeating: 0, count: count))
                == malformed(
                    .invalid(field: "size", rule: "must be a multiple of 4096, at most 16 MiB")))
    }
}

@Test("each section of the metadata is held to its rules")
func sections() {
    typealias Section = (address: UInt32, size: UInt32, type: UInt32)
    func fault(with section: Section) -> PredictionError? {
        var firmware = FirmwareBuilder()
        firmware.sections?.append(section)
        return PredictionTests.fault(firmware)
    }
    #expect(fault(with: (0x90_0000, 0x1000, 1)) == nil)
    #expect(
        fault(with: (0x90_0000, 0x1000, 5))
            == malformed(.outOfRange(field: "SEV section type", value: 5)))
    let whole = malformed(.invalid(field: "SEV section", rule: "consists of whole pages"))
    #expect(fault(with: (0x90_0001, 0x1000, 1)) == whole)
    #expect(fault(with: (0x90_0000, 0x1001, 1)) == whole)
    for size: UInt32 in [0, 65 << 20] {
        #expect(
            fault(with: (0x90_0000, size, 1))
                == malformed(.outOfRange(field: "SEV section size", value: UInt64(size))))
    }
    // One page each: what the processor writes into them has that size.
    for type: UInt32 in [2, 3] {
        #expect(
            fault(with: (0x90_0000, 0x2000, type))
                == malformed(.outOfRange(field: "SEV section size", value: 0x2000)))
    }
    // Up to the firmware's first page, and not into it.
    #expect(fault(with: (0xffff_c000, 0x1000, 1)) == nil)
    #expect(
        fault(with: (0xffff_d000, 0x1000, 1))
            == malformed(.outOfRange(field: "SEV section size", value: 0x1000)))
    #expect(
        fault(with: (0x80_8000, 0x1000, 1))
            == malformed(.invalid(field: "SEV metadata section", rule: "overlaps no other")))
    #expect(
        fault(with: (0x91_0000, 0x1000, 0x10))
            == malformed(.invalid(field: "kernel hashes section", rule: "stands there once")))
}

@Test("the metadata's header is held to its rules")
func metadataHeader() {
    #expect(
        fault { $0.bytes[$0.metadata] = 0 }
            == malformed(.invalid(field: "SEV metadata signature", rule: "is ASEV")))
    #expect(
        fault { $0.bytes[$0.metadata + 4] += 1 }
            == malformed(.invalid(field: "SEV metadata length", rule: "is that of its sections")))
    #expect(
        fault { $0.bytes[$0.metadata + 8] = 2 }
            == malformed(.outOfRange(field: "SEV metadata version", value: 2)))
    #expect(
        fault { $0.bytes[$0.metadata + 12] = 65 }
            == malformed(.outOfRange(field: "SEV metadata count", value: 65)))
}

@Test("the table of hashes must lie within its section, and have room")
func hashTable() {
    let rule = malformed(
        .invalid(field: "hash table address", rule: "lies within the section of kernel hashes"))
    for table: (base: UInt32, size: UInt32) in [
        (0, 0), (0x80_ffff, 0x400), (0x81_0f51, 0xb0), (0x81_0c00, 0xaf), (0x81_0c00, 0x401),
    ] {
        #expect(fault(with { $0.hashTable = table }) == rule)
    }
    #expect(fault(with { $0.hashTable = (0x81_0f50, 0xb0) }) == nil)
    #expect(
        fault(with { $0.hashTable = nil })
            == malformed(
                .invalid(field: "kernel hashes section", rule: "comes with the table's address")))
}

@Test("a table that is cut, too long or names an entry twice is refused")
func table() {
    // The length of the whole table.
    for length: UInt16 in [0, 17, 19, 0xffff] {
        #expect(
            fault { image in
                let end = image.bytes.count - 50
                image.bytes[end] = UInt8(truncatingIfNeeded: length)
                image.bytes[end + 1] = UInt8(length >> 8)
            } != nil)
    }
    // The length of the entry nearest to the footer, which is that of the metadata.
    for length: UInt8 in [0, 17, 21, 23, 0xff] {
        #expect(fault { $0.bytes[$0.bytes.count - 68] = length } != nil)
    }
    #expect(
        fault { image in
            let reset = image.table + 8 + 18 + 4 + 2
            image.bytes.replaceSubrange(reset..<(reset + 16), with: FirmwareBuilder.metadata)
        } == malformed(.invalid(field: "OVMF table entry", rule: "stands there once")))
    for offset: UInt8 in [0, 1] {
        // 0 and 0x10400 are both outside of the image.
        #expect(
            fault { image in
                image.bytes[image.bytes.count - 71] = 0
                image.bytes[image.bytes.count - 70] = offset
            } != nil)
    }
}

@Test("several processors need the firmware's reset block, one does not")
func resetBlock() throws {
    let firmware = try SNPFirmware(parsing: with { $0.resetAddress = nil }.bytes)
    let measurer = SNPMeasurer(firmware, hashing: hashing)
    let processor = ProcessorType(name: "EPYC-v4")
    #expect(throws: PredictionError.noResetAddress) {
        try measurer.digest(of: SNPLaunch(processorCount: 2, processor: processor))
    }
    #expect(throws: Never.self) {
        try measurer.digest(of: SNPLaunch(processorCount: 1, processor: processor))
    }
    for count in [0, -1, 4097] {
        #expect(throws: PredictionError.processorCount(count)) {
            try measurer.digest(of: SNPLaunch(processorCount: count, processor: processor))
        }
    }
    #expect(throws: PredictionError.noProcessorSignature) {
        try measurer.digest(of: SNPLaunch(processorCount: 1))
    }
}

@Test("processors are known by QEMU's names, in any version")
func processors() {
    #expect(ProcessorType(name: "EPYC-Milan-v12")?.signature == 0x00a0_0f11)
    #expect(ProcessorType(name: "EPYC-v4") == ProcessorType(family: 23, model: 1, stepping: 2))
    #expect(ProcessorType(family: 26, model: 0, stepping: 0)?.name == "EPYC-Turin")
    for name in ["", "epyc", "EPYC-", "EPYC-v", "EPYC-v123", "EPYC-Milan-vx", "EPYC-Naples"] {
        #expect(ProcessorType(name: name) == nil)
    }
    #expect(ProcessorType(family: 271, model: 0, stepping: 0) == nil)
    #expect(ProcessorType(family: 1, model: 256, stepping: 0) == nil)
    #expect(ProcessorType(family: 1, model: 1, stepping: 16) == nil)
}

@Test("the launches behind digests are found among the usual variants")
func variants() throws {
    let firmware = try SNPFirmware(parsing: FirmwareBuilder().bytes)
    let measurer = SNPMeasurer(firmware, hashing: hashing)
    let kernel = KernelHashes(kernel: [1], hashing: hashing)
    var swapped = SNPLaunch(processorCount: 9, processor: ProcessorType(name: "EPYC-Genoa"))
    swapped.features = 0x21
    var hashed = SNPLaunch(processorCount: 1, processor: ProcessorType(name: "EPYC"))
    hashed.kernel = kernel
    var unknown = hashed
    unknown.kernel = KernelHashes(kernel: [2], hashing: hashing)
    let digests = try [swapped, hashed, unknown].map { try measurer.digest(of: $0) }
    #expect(
        try SNPVariants(measurer, kernel: kernel).launches(behind: Set(digests))
            == [digests[0]: swapped, digests[1]: hashed])
}

@Test("an ID block has 96 bytes, each field in its place")
func idBlock() {
    var block = IDBlock(launchDigest: hashing.sha384([1]))
    block.familyID[0] = 2
    block.imageID[15] = 3
    block.guestSVN = 0x0405_0607
    block.policy = 0xb0000
    let rest =
        [UInt8](hex: "02" + String(repeating: "00", count: 30) + "03")
        + [1, 0, 0, 0, 7, 6, 5, 4, 0, 0, 0xb, 0, 0, 0, 0, 0]
    #expect(block.bytes == hashing.sha384([1]).bytes + rest)
    #expect(block.digest(hashing: hashing) == hashing.sha384(block.bytes))
}
