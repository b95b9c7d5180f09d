import Bytes
import Foundation
import Testing

@testable import LUKS

/// One formatted volume with a keyslot, shared by tests that only read it.
private let sample: [UInt8] = {
    do {
        let file = try VolumeFile().formatted()
        _ = try file.addKeyslot(Array(repeating: 1, count: 32))
        return try file.bytes
    } catch {
        return []
    }
}()

@Test("reads the header of a volume of ours")
func readsOurs() throws {
    let header = try LUKS2Header(image: sample, hashing: hashing)
    #expect(header.copy == .primary)
    #expect(header.keyslots.map(\.number) == [0])
    #expect(header.keyslots[0].derivation == .pbkdf2(hash: "sha256", iterations: 1000))
    #expect(header.segments[0].encryption == "aes-xts-plain64")
    #expect(header.digests[0].keyslots == [0])
    #expect(header.digests[0].derivation == .pbkdf2(hash: "sha256", iterations: 1000))
    try LUKS2Rules().check(header, keyslot: 0)
}

@Test("fetches each byte once, and no further than the last keyslot area")
func fetchesOnce() throws {
    var ranges: [Range<Int>] = []
    _ = try LUKS2Header(hashing: hashing) { offset, count in
        ranges.append(offset..<offset + count)
        return Array(sample[offset..<offset + count])
    }
    for (previous, next) in zip(ranges, ranges.dropFirst()) {
        #expect(previous.upperBound == next.lowerBound)
    }
    #expect(ranges.first?.lowerBound == 0)
    #expect(ranges.last?.upperBound == 0x8000 + 258_048)
}

@Test("takes the copy with the higher sequence number")
func higherSequence() throws {
    var bytes = sample
    bytes[0x4000 + 16 + 7] &+= 1
    reseal(&bytes, at: 0x4000)
    let header = try LUKS2Header(image: bytes, hashing: hashing)
    #expect(header.copy == .secondary)
    #expect(try LUKS2Header(image: sample, hashing: hashing).sequence + 1 == header.sequence)
}

@Test("takes the secondary copy when the primary is damaged anywhere")
func primaryDamaged() throws {
    for index in [0, 7, 10, 30, 80, 200, 0x1c0, 5000, 0x3fff] {
        var bytes = sample
        bytes[index] ^= 1
        #expect(try LUKS2Header(image: bytes, hashing: hashing).copy == .secondary)
    }
}

@Test("refuses both copies damaged, and says how")
func bothDamaged() throws {
    var bytes = sample
    bytes[0] = 0
    bytes[0x4000 + 5000] ^= 1
    #expect(
        throws: LUKS2Fault.noValidCopy(
            primary: .invalid(field: "magic", rule: "no LUKS2 header at byte 0"),
            secondary: .invalid(field: "csum", rule: "the checksum does not fit the header"))
    ) { _ = try LUKS2Header(image: bytes, hashing: hashing) }
}

@Test("refuses every truncation of the binary header and names the field")
func binaryTruncations() throws {
    for length in 0..<LUKS2BinaryHeader.byteCount {
        #expect(throws: ParseError.self, "length \(length)") {
            _ = try LUKS2BinaryHeader(parsing: Array(sample[..<length]), at: 0)
        }
    }
    #expect(throws: ParseError.truncated(field: "seqid", needed: 8, available: 0)) {
        _ = try LUKS2BinaryHeader(parsing: Array(sample[..<16]), at: 0)
    }
    #expect(throws: ParseError.trailingBytes(structure: "LUKS2 binary header", count: 1)) {
        _ = try LUKS2BinaryHeader(parsing: Array(sample[...4096]), at: 0)
    }
}

@Test("refuses a device that ends within the metadata", arguments: [0, 1, 4095, 4096, 0x3fff])
func deviceTooShort(length: Int) {
    #expect(throws: LUKS2Fault.self) {
        _ = try LUKS2Header(image: Array(sample[..<length]), hashing: hashing)
    }
}

@Test("refuses a device that ends within a keyslot area")
func areaCut() {
    #expect(
        throws: LUKS2Fault.rule(
            path: "$.keyslots.0.area", expected: "an area on the device",
            actual: "the device ends at 40000")
    ) { _ = try LUKS2Header(image: Array(sample[..<40000]), hashing: hashing) }
}

@Test(
    "refuses binary header fields out of range",
    arguments: [
        (6, ParseError.outOfRange(field: "version", value: 0x0102)),
        (8, .outOfRange(field: "hdr_size", value: 0x0100_0000_0000_4000)),
        (72, .invalid(field: "csum_alg", rule: "only sha256 is accepted")),
        (71 + 32, .invalid(field: "csum_alg", rule: "must be text that ends in zero bytes")),
        (168, .invalid(field: "uuid", rule: "must be a UUID as RFC 9562 writes it")),
        (256, .outOfRange(field: "hdr_offset", value: 0x0100_0000_0000_0000)),
        (0x1c0 + 63, .reservedNotZero(field: "csum")),
    ])
func binaryFields(offset: Int, expected: ParseError) {
    var bytes = Array(sample[..<4096])
    bytes[offset] = offset == 72 || offset == 168 ? UInt8(ascii: "x") : 1
    #expect(throws: expected) { _ = try LUKS2BinaryHeader(parsing: bytes, at: 0) }
}

@Test("the digest covers UUID, JSON and keyslot areas, and nothing else")
func digestCovers() throws {
    let digest = try LUKS2Header(image: sample, hashing: hashing).digest(hashing: hashing)
    func changed(_ offset: Int) throws -> Bool {
        var bytes = sample
        // Another digit of the UUID must still be one; elsewhere any other byte does.
        bytes[offset] = bytes[offset] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        bytes[0x4000] = 0
        reseal(&bytes, at: 0)
        return try LUKS2Header(image: bytes, hashing: hashing).digest(hashing: hashing) != digest
    }
    #expect(try changed(168 + 35))  // the last digit of the UUID
    #expect(try changed(0x8000))
    #expect(try changed(0x8000 + 258_047))
    #expect(try !changed(0x8000 + 258_048))
    #expect(try !changed(23))  // sequence number
    #expect(try !changed(24))  // label
    #expect(try !changed(104))  // salt
    let json = try #require(String(bytes: sample[4096...].prefix { $0 != 0 }, encoding: .utf8))
    let other = image(from: sample, json: json.replacingOccurrences(of: "\"512\"", with: "\"512\""))
    #expect(try LUKS2Header(image: other, hashing: hashing).digest(hashing: hashing) == digest)
    let spaced = image(from: sample, json: json + " ")
    #expect(try LUKS2Header(image: spaced, hashing: hashing).digest(hashing: hashing) != digest)
}

@Test("the digest input is laid out as docs/luks.md says")
func digestLayout() throws {
    let header = try LUKS2Header(image: sample, hashing: hashing)
    var expected = ByteWriter()
    for field in [
        Array("bootgate luks2 header v1".utf8), Array(header.uuid.utf8), header.jsonText,
        Array(sample[0x8000..<0x8000 + 258_048]),
    ] {
        expected.bigEndian(UInt64(field.count))
        expected.raw(field)
    }
    #expect(header.headerDigestInput() == expected.bytes)
}

@Test("the image for libcryptsetup holds the chosen copy twice and nothing that is not digested")
func memoryImage() throws {
    var bytes = sample
    bytes[30] = 0x41  // the label
    bytes[0x4000 + 16 + 7] &+= 1
    reseal(&bytes, at: 0)
    reseal(&bytes, at: 0x4000)
    let header = try LUKS2Header(image: bytes, hashing: hashing)
    let copy = header.memoryImage(hashing: hashing)
    #expect(copy.count == 0x8000 + 258_048)
    let again = try LUKS2Header(image: copy, hashing: hashing)
    #expect(again.copy == .primary)
    #expect(again.sequence == header.sequence)
    #expect(again.headerDigestInput() == header.headerDigestInput())
    #expect(copy[24..<72].allSatisfy { $0 == 0 })
    var withoutPrimary = copy
    withoutPrimary[0] = 0
    let second = try LUKS2Header(image: withoutPrimary, hashing: hashing)
    #expect(second.headerDigestInput() == header.headerDigestInput())
}
