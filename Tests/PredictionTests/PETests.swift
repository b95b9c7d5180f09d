import Bytes
import OpenSSL
import TestSupport
import Testing

@testable import Prediction

private let hashing = OpenSSLHashing()
private let sample = PEBuilder([
    .init(".text", [1, 2, 3]), .init(".data", [UInt8](repeating: 4, count: 600)),
    .init(".bss", [], virtualSize: 16),
])

private func fault(_ bytes: [UInt8]) -> ParseError? {
    do {
        _ = try PEImage(parsing: bytes)
        return nil
    } catch {
        return error
    }
}

/// What comes of the sample with `value` at `offset`.
private func fault(_ value: [UInt8], at offset: Int) -> ParseError? {
    var bytes = sample.bytes
    bytes.replaceSubrange(offset..<(offset + value.count), with: value)
    return fault(bytes)
}

@Test("an image that is cut anywhere before its last section's end is refused")
func cutImage() {
    let bytes = sample.bytes
    #expect(fault(bytes) == nil)
    for count in 0..<bytes.count {
        #expect(fault(Array(bytes[..<count])) != nil, "\(count) bytes")
    }
}

@Test("each header field is held to its rule")
func headerFields() {
    typealias Builder = PEBuilder
    #expect(fault([0], at: 0) == .invalid(field: "DOS signature", rule: "is MZ"))
    #expect(fault([63, 0, 0, 0], at: 60) == .outOfRange(field: "e_lfanew", value: 63))
    #expect(fault([1, 16, 0, 0], at: 60) == .outOfRange(field: "e_lfanew", value: 0x1001))
    #expect(fault([0], at: Builder.start) == .invalid(field: "PE signature", rule: "is PE"))
    #expect(
        fault([0, 0], at: Builder.start + 6) == .outOfRange(field: "NumberOfSections", value: 0))
    #expect(
        fault([1, 1], at: Builder.start + 6) == .outOfRange(field: "NumberOfSections", value: 257))
    #expect(
        fault([111, 0], at: Builder.start + 20)
            == .outOfRange(field: "SizeOfOptionalHeader", value: 111))
    #expect(fault([7, 1], at: Builder.optional) == .outOfRange(field: "Magic", value: 0x107))
    #expect(
        fault([17], at: Builder.optional + 108)
            == .outOfRange(field: "NumberOfRvaAndSizes", value: 17))
    for size: UInt32 in [0, UInt32(Builder.table) + 119, UInt32(sample.bytes.count) + 1] {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
        #expect(
            fault(bytes, at: Builder.optional + 60)
                == .outOfRange(field: "SizeOfHeaders", value: UInt64(size)))
    }
    #expect(
        fault([0x61], at: Builder.table + 7)
            == .invalid(field: "section name", rule: "is ASCII, with zero bytes behind it"))
    #expect(
        fault([0xff, 0xff, 0, 0], at: Builder.table + 16)
            == .outOfRange(field: "SizeOfRawData", value: 0xffff))
    #expect(fault([0xff, 0xff, 0xff, 0xff], at: Builder.table + 20) != nil)
}

@Test("the Authenticode digest leaves out checksum and certificates, and nothing else")
func authenticode() throws {
    var signed = sample
    signed.rest = [5, 6, 7]
    let plain = signed.bytes
    signed.certificates = [UInt8](repeating: 8, count: 24)
    let bytes = signed.bytes
    let (checksum, entry) = (PEBuilder.optional + 64, PEBuilder.optional + 112 + 32)
    let expected = hashing.sha256(
        Array(bytes[..<checksum]) + bytes[(checksum + 4)..<entry]
            + bytes[(entry + 8)..<(bytes.count - 24)])
    for image in [plain, bytes] {
        #expect(
            try PEImage(parsing: image).authenticode(.sha256, hashing: hashing) == expected.bytes)
    }
    for offset in plain.indices where offset % 7 == 0 || offset < 512 {
        var changed = bytes
        changed[offset] ^= 1
        let isLeftOut = (checksum..<(checksum + 4)).contains(offset)
        guard let digest = try? PEImage(parsing: changed).authenticode(.sha256, hashing: hashing)
        else { continue }
        #expect((digest == expected.bytes) == isLeftOut, "byte \(offset)")
    }
}

@Test("certificates must lie at the end, and sections must not overlap each other")
func overlaps() throws {
    var signed = sample
    signed.certificates = [UInt8](repeating: 8, count: 24)
    #expect(
        fault(signed.bytes + [0])
            == .invalid(field: "certificate table", rule: "lies at the end of the file"))
    // The second section's content where the first one's is, and longer: the sizes exceed the file.
    var bytes = sample.bytes
    bytes[PEBuilder.table + 20] = 0
    bytes[PEBuilder.table + 21] = 0
    bytes[PEBuilder.table + 16] = 0
    bytes[PEBuilder.table + 17] = 8
    let image = try PEImage(parsing: bytes)
    #expect(
        throws: ParseError.invalid(
            field: "sections", rule: "do not overlap each other or the headers")
    ) {
        try image.authenticode(.sha256, hashing: hashing)
    }
}
