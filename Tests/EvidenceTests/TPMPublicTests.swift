import Bytes
import Evidence
import TestSupport
import Testing

/// Stands for a hash function: every byte is the low byte of the message's length.
private struct LengthHashing: Hashing {
    func sha256(_ bytes: [UInt8]) -> FixedBytes<32> {
        FixedBytes(digest(.sha256, bytes)) ?? .init()
    }
    func sha384(_ bytes: [UInt8]) -> FixedBytes<48> {
        FixedBytes(digest(.sha384, bytes)) ?? .init()
    }
    func sha512(_ bytes: [UInt8]) -> FixedBytes<64> {
        FixedBytes(digest(.sha512, bytes)) ?? .init()
    }
    func digest(_ algorithm: HashAlgorithm, _ bytes: [UInt8]) -> [UInt8] {
        Array(repeating: UInt8(truncatingIfNeeded: bytes.count), count: algorithm.size)
    }
}

@Suite("TPM public area")
struct TPMPublicTests {
    private static let modulus: [UInt8] = [0x80] + Array(repeating: 0x33, count: 255)
    private static let rsa = TPMPublicBuilder(rsaModulus: modulus)
    private static let ecc = TPMPublicBuilder(
        p256X: Array(repeating: 0x11, count: 32), y: Array(repeating: 0x22, count: 31))

    @Test("an RSA key is read, its exponent by default")
    func rsaFields() throws {
        let area = try TPMPublic(parsing: Self.rsa.bytes)
        #expect(area.key == .rsa(bits: 2048, exponent: 65537, modulus: Self.modulus))
        #expect(area.scheme == .rsassa(.sha256))
        #expect(area.symmetric == nil)
        #expect(area.attributes.contains([.restricted, .sign, .fixedTPM, .fixedParent]))
        #expect(
            area.attributes.description
                == "fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign")
        let name = area.name(hashing: LengthHashing())
        #expect(name.bytes == [0, 0x0b] + Array(repeating: 0x18, count: 32))
        #expect(try TPMName(parsing: name.bytes) == name)
        #expect(TPMName(algorithm: .sha1, digest: name.digest) == nil)
    }

    @Test("an ECC key and a storage key are read")
    func otherKeys() throws {
        let ecc = try TPMPublic(parsing: Self.ecc.bytes)
        #expect(
            ecc.key
                == .ecc(
                    curve: .p256, x: Array(repeating: 0x11, count: 32),
                    y: Array(repeating: 0x22, count: 31)))
        #expect(ecc.scheme == .ecdsa(.sha256))
        let storage = Self.rsa.with {
            $0.attributes = 0x0003_00b2
            $0.authPolicy = Array(repeating: 0x83, count: 32)
            $0.symmetric = [0x00, 0x06, 0x00, 0x80, 0x00, 0x43]
            $0.scheme = [0x00, 0x10]
        }
        let area = try TPMPublic(parsing: storage.bytes)
        #expect(area.symmetric?.keyBits == 128)
        #expect(area.scheme == nil)
        #expect(area.authPolicy.count == 32)
    }

    @Test("TPM2B_PUBLIC is a size and a TPMT_PUBLIC, nothing else")
    func sized() throws {
        var writer = ByteWriter()
        writer.opaque(Self.rsa.bytes, lengthBytes: 2)
        #expect(try TPMPublic(parsingSized: writer.bytes) == TPMPublic(parsing: Self.rsa.bytes))
        #expect(throws: ParseError.self) { try TPMPublic(parsing: writer.bytes) }
        #expect(throws: ParseError.self) { try TPMPublic(parsingSized: writer.bytes + [0]) }
        #expect(throws: ParseError.self) { try TPMPublic(parsingSized: [0, 0]) }
    }

    @Test("every truncation and every trailing byte is refused")
    func lengths() {
        for bytes in [Self.rsa.bytes, Self.ecc.bytes] {
            for count in 0..<bytes.count {
                #expect(throws: ParseError.self) {
                    try TPMPublic(parsing: Array(bytes.prefix(count)))
                }
            }
            #expect(throws: ParseError.trailingBytes(structure: "TPMT_PUBLIC", count: 1)) {
                try TPMPublic(parsing: bytes + [0])
            }
        }
    }

    @Test("each reserved attribute bit is refused", arguments: 0..<32)
    func reserved(bit: Int) {
        let known = [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19]
        let bytes = Self.rsa.with { $0.attributes = 1 << bit }.bytes
        let area = try? TPMPublic(parsing: bytes)
        #expect((area != nil) == known.contains(bit))
    }

    @Test("each field that has a rule is refused by its name", arguments: Self.faults.indices)
    func rules(index: Int) {
        let (field, builder) = Self.faults[index]
        do throws(ParseError) {
            _ = try TPMPublic(parsing: builder.bytes)
            Issue.record("\(field) was accepted")
        } catch {
            #expect(error.description.hasPrefix(field), "\(error)")
        }
    }

    private static let faults: [(String, TPMPublicBuilder)] = [
        ("type", rsa.with { $0.type = 0x0008 }),
        ("nameAlg", rsa.with { $0.nameAlgorithm = 0x0010 }),
        ("authPolicy", rsa.with { $0.authPolicy = Array(repeating: 1, count: 20) }),
        ("symmetric.algorithm", rsa.with { $0.symmetric = [0, 0x26] }),
        ("symmetric.keyBits", rsa.with { $0.symmetric = [0, 6, 0, 64, 0, 0x43] }),
        ("symmetric.mode", rsa.with { $0.symmetric = [0, 6, 0, 128, 0, 0x44] }),
        ("scheme", rsa.with { $0.scheme = [0, 0x18, 0, 0x0b] }),
        ("scheme", ecc.with { $0.scheme = [0, 0x14, 0, 0x0b] }),
        ("scheme.hashAlg", rsa.with { $0.scheme = [0, 0x14, 0, 0x10] }),
        ("keyBits", rsa.with { $0.details = [0x06, 0x00, 0, 0, 0, 0] }),
        ("exponent", rsa.with { $0.details = [0x08, 0x00, 0, 0, 0, 3] }),
        ("exponent", rsa.with { $0.details = [0x08, 0x00, 0, 1, 0, 2] }),
        ("unique.rsa", rsa.with { $0.details = [0x0c, 0x00, 0, 0, 0, 0] }),
        ("unique.rsa", rsa.with { $0.unique[0][0] = 0x7f }),
        ("curveID", ecc.with { $0.details = [0, 0x10, 0, 0x10] }),
        ("kdf.hashAlg", ecc.with { $0.details = [0, 3, 0, 0x20, 0, 0x10] }),
        ("unique.ecc.x", ecc.with { $0.unique[0].append(0) }),
        ("unique.ecc.y", ecc.with { $0.unique[1] = [] }),
    ]
}
