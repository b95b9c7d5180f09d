import Bytes
import Evidence
import TestSupport
import Testing

@Suite("TPM quote")
struct TPMAttestationTests {
    @Test("every field is read")
    func fields() throws {
        let builder = TPMQuoteBuilder()
        let quote = try TPMAttestation(parsing: builder.bytes)
        #expect(quote.signedBytes == builder.bytes)
        #expect(quote.qualifiedSigner.bytes == builder.qualifiedSigner)
        #expect(quote.extraData == builder.extraData)
        #expect(quote.clock == 0x0102_0304_0506)
        #expect(quote.resetCount == 7 && quote.restartCount == 3)
        #expect(quote.isClockSafe)
        #expect(quote.firmwareVersion == 0x2020_0312_0012_0003)
        #expect(quote.selection.description == "sha256:0,4,7,10")
        #expect(quote.pcrDigest == builder.pcrDigest)
        #expect(try !TPMAttestation(parsing: builder.with { $0.safe = 0 }.bytes).isClockSafe)
    }

    @Test("every truncation and every trailing byte is refused")
    func lengths() {
        let bytes = TPMQuoteBuilder().bytes
        for count in 0..<bytes.count {
            #expect(throws: ParseError.self) {
                try TPMAttestation(parsing: Array(bytes.prefix(count)))
            }
        }
        #expect(throws: ParseError.trailingBytes(structure: "TPMS_ATTEST", count: 1)) {
            try TPMAttestation(parsing: bytes + [0])
        }
        #expect(throws: ParseError.self) {
            try TPMAttestation(parsing: bytes + Array(repeating: 0, count: 512))
        }
    }

    @Test(
        "another type of attestation is refused by its name",
        arguments: [
            (0x8017, "TPM_ST_ATTEST_CERTIFY"), (0x8014, "TPM_ST_ATTEST_NV"),
            (0x8019, "TPM_ST_ATTEST_TIME"), (0x801a, "TPM_ST_ATTEST_CREATION"),
            (0x8015, "TPM_ST_ATTEST_COMMAND_AUDIT"), (0x8016, "TPM_ST_ATTEST_SESSION_AUDIT"),
            (0x801c, "TPM_ST_ATTEST_NV_DIGEST"), (0x1234, "structure 4660"),
        ] as [(UInt16, String)])
    func types(type: UInt16, name: String) {
        let rule = "is \(name), must be TPM_ST_ATTEST_QUOTE"
        #expect(throws: ParseError.invalid(field: "type", rule: rule)) {
            try TPMAttestation(parsing: TPMQuoteBuilder().with { $0.type = type }.bytes)
        }
    }

    @Test("each field that has a rule is refused by its name", arguments: Self.faults.indices)
    func rules(index: Int) {
        let (field, change) = Self.faults[index]
        do throws(ParseError) {
            _ = try TPMAttestation(parsing: TPMQuoteBuilder().with(change).bytes)
            Issue.record("\(field) was accepted")
        } catch {
            #expect(error.description.hasPrefix(field), "\(error)")
        }
    }

    private static let faults: [(String, @Sendable (inout TPMQuoteBuilder) -> Void)] = [
        ("magic", { $0.magic = 0xff54_4346 }),
        ("magic", { $0.magic = 0x4743_54ff }),
        ("qualifiedSigner", { $0.qualifiedSigner = [] }),
        ("qualifiedSigner", { $0.qualifiedSigner.removeLast() }),
        ("qualifiedSigner", { $0.qualifiedSigner.append(0) }),
        ("qualifiedSigner", { $0.qualifiedSigner[1] = 0x12 }),
        ("extraData", { $0.extraData = Array(repeating: 1, count: 67) }),
        ("safe", { $0.safe = 2 }),
        ("TPML_PCR_SELECTION.count", { $0.selections = [] }),
        (
            "TPML_PCR_SELECTION.count",
            { $0.selections = Array(repeating: $0.selections[0], count: 17) }
        ),
        ("TPMS_PCR_SELECTION.hash", { $0.selections.append($0.selections[0]) }),
        ("TPMS_PCR_SELECTION.hash", { $0.selections[0].bank = 0x0012 }),
        ("sizeofSelect", { $0.selections[0].bitmap = [1, 0] }),
        ("sizeofSelect", { $0.selections[0].bitmap = [1, 0, 0, 0, 0] }),
        ("pcrSelect", { $0.selections[0].bitmap = [0, 0, 0] }),
        ("pcrDigest", { $0.pcrDigest = [] }),
        ("pcrDigest", { $0.pcrDigest.removeLast() }),
        ("pcrDigest", { $0.pcrDigest = Array(repeating: 0, count: 65) }),
    ]

    @Test("a selection counts by its registers, not by its order of banks")
    func selections() throws {
        let builder = TPMQuoteBuilder().with {
            $0.selections = [(0x000b, [0x01, 0, 0]), (0x0004, [0, 0x04, 0, 0x80])]
        }
        let quote = try TPMAttestation(parsing: builder.bytes)
        #expect(quote.selection.description == "sha256:0+sha1:10,31")
        let same = try #require(PCRSelection([.sha1: [31, 10], .sha256: [0]]))
        #expect(quote.selection.selectsSame(as: same))
        #expect(quote.selection != same)
        let other = try #require(PCRSelection([.sha1: [10], .sha256: [0]]))
        #expect(!quote.selection.selectsSame(as: other))
        #expect(quote.selection.contains(.sha1, 31) && !quote.selection.contains(.sha256, 31))
        #expect(PCRSelection([:]) == nil)
        #expect(PCRSelection([.sha256: []]) == nil)
        #expect(PCRSelection([.sha256: [32]]) == nil)
    }
}

@Suite("TPM signature")
struct TPMSignatureTests {
    private static let number = [UInt8](repeating: 0x77, count: 256)
    private static let rsassa: [UInt8] = [0x00, 0x14, 0x00, 0x0b, 0x01, 0x00] + number
    private static let ecdsa: [UInt8] = [0x00, 0x18, 0x00, 0x0c, 0, 2, 1, 2, 0, 3, 3, 4, 5]

    @Test("the three schemes are read")
    func schemes() throws {
        let rsassa = try TPMSignature(parsing: Self.rsassa)
        #expect(rsassa == TPMSignature(value: .rsassa(Self.number), hash: .sha256))
        #expect(try TPMSignature(bareRSASSASHA256: Self.number) == rsassa)
        var bytes = Self.rsassa
        bytes[1] = 0x16
        #expect(try TPMSignature(parsing: bytes).value == .rsapss(Self.number))
        let ecdsa = try TPMSignature(parsing: Self.ecdsa)
        #expect(ecdsa == TPMSignature(value: .ecdsa(r: [1, 2], s: [3, 4, 5]), hash: .sha384))
        #expect(ecdsa.schemeName == "ECDSA with sha384")
    }

    @Test("every truncation and every trailing byte is refused")
    func lengths() {
        for bytes in [Self.rsassa, Self.ecdsa] {
            for count in 0..<bytes.count {
                #expect(throws: ParseError.self) {
                    try TPMSignature(parsing: Array(bytes.prefix(count)))
                }
            }
            #expect(throws: ParseError.trailingBytes(structure: "TPMT_SIGNATURE", count: 1)) {
                try TPMSignature(parsing: bytes + [0])
            }
        }
        for count in [0, 127, 513] {
            #expect(throws: ParseError.self) {
                try TPMSignature(bareRSASSASHA256: Array(repeating: 1, count: count))
            }
        }
    }

    @Test(
        "other schemes are refused by their names",
        arguments: [
            (0x1a, "TPM_ALG_ECDAA"), (0x1b, "TPM_ALG_SM2"), (0x1c, "TPM_ALG_ECSCHNORR"),
            (0x05, "TPM_ALG_HMAC"), (0x10, "TPM_ALG_NULL"), (0x15, "TPM_ALG_RSAES"),
        ] as [(UInt8, String)])
    func otherSchemes(scheme: UInt8, name: String) {
        var bytes = Self.rsassa
        bytes[1] = scheme
        let rule = "is \(name), must be one of RSASSA, RSAPSS, ECDSA"
        #expect(throws: ParseError.invalid(field: "sigAlg", rule: rule)) {
            try TPMSignature(parsing: bytes)
        }
    }

    @Test("a hash function that nobody computes is refused by its name")
    func hash() {
        var bytes = Self.rsassa
        bytes[3] = 0x27
        let rule = "is TPM_ALG_SHA3_256, must be one of SHA-1, SHA-256, SHA-384, SHA-512"
        #expect(throws: ParseError.invalid(field: "hash", rule: rule)) {
            try TPMSignature(parsing: bytes)
        }
    }
}
