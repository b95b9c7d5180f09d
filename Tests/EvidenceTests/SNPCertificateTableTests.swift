import Bytes
import Evidence
import TestSupport
import Testing

@Suite("GHCB certificate table")
struct SNPCertificateTableTests {
    private static let vcek = "63da758de6644564adc5f4b93be8accd"
    private static let vlek = "a8074bc2a25a483eaae639c045a0b8a1"
    private static let ask = "4ab7b379bbac4fe4a02f05aef327c782"
    private static let ark = "c0b406a4a803495297433fb6014cd0ae"
    private static let platform = "ecae0c0f950243b1afa20ae2e0d565b6"

    @Test("gives each certificate by its GUID and passes over others")
    func genuine() throws {
        var builder = CertificateTableBuilder(entryCount: 5)
        builder.add(Self.ark, [0x30, 1])
        builder.add(Self.ask, [0x30, 2])
        builder.add(Self.vcek, [0x30, 3])
        builder.add(Self.platform, [0xff])
        builder.add(Self.vlek, [0x30, 4])
        let table = try SNPCertificateTable(parsing: builder.bytes + Array(repeating: 0, count: 99))
        #expect(table.ark == [0x30, 1] && table.ask == [0x30, 2])
        #expect(table.vcek == [0x30, 3] && table.vlek == [0x30, 4])
        #expect(
            SNPCertificates(table, signedBy: .vcek)
                == SNPCertificates(
                    endorsementKey: [0x30, 3], intermediate: [0x30, 2], root: [0x30, 1]))
        #expect(SNPCertificates(table, signedBy: .vlek).endorsementKey == [0x30, 4])
    }

    @Test("gives the revocation list of the root, in DER only")
    func revocationList() throws {
        let crl = "92f81bc358114d3d97ffd19f88dc67ea"
        var builder = CertificateTableBuilder(entryCount: 1)
        builder.add(crl, [0x30, 5])
        let table = try SNPCertificateTable(parsing: builder.bytes)
        #expect(table.revocationList == [0x30, 5])
        #expect(SNPCertificates(table, signedBy: .vcek).revocationLists == [[0x30, 5]])
        for data in [[], Array("-----BEGIN X509 CRL-----".utf8)] {
            var builder = CertificateTableBuilder(entryCount: 1)
            builder.add(crl, data)
            #expect(throws: ParseError.invalid(field: "CRL", rule: "must be one in DER")) {
                try SNPCertificateTable(parsing: builder.bytes)
            }
        }
    }

    @Test("may hold PEM, as real hosts' do")
    func pem() throws {
        let der: [UInt8] = [0x30] + Array(0..<200)
        let body = Base64.encode(der)
        let text =
            "-----BEGIN CERTIFICATE-----\n\(body.prefix(64))\n\(body.dropFirst(64))\n"
            + "-----END CERTIFICATE-----\n"
        var builder = CertificateTableBuilder(entryCount: 1)
        builder.add(Self.vcek, Array(text.utf8))
        #expect(try SNPCertificateTable(parsing: builder.bytes).vcek == der)
    }

    @Test("without certificates is empty", arguments: [0, 24, 4096])
    func empty(count: Int) throws {
        let table = try SNPCertificateTable(parsing: Array(repeating: 0, count: count))
        #expect(table == (try SNPCertificateTable(parsing: [])))
        #expect(table.vcek == nil)
    }

    @Test("is refused at every length that cuts an entry or a certificate")
    func truncations() {
        var builder = CertificateTableBuilder(entryCount: 1)
        builder.add(Self.vcek, [0x30, 1, 2, 3])
        for length in 1..<builder.bytes.count {
            #expect(throws: ParseError.self, "\(length) bytes") {
                try SNPCertificateTable(parsing: Array(builder.bytes.prefix(length)))
            }
        }
    }

    @Test(
        "is refused where an entry points outside",
        arguments: [
            (0, 4), (47, 4), (48, 5), (52, 1), (53, 0), (0xffff_ffff, 1), (48, 0xffff_ffff),
            (0xffff_ffff, 0xffff_ffff),
        ] as [(UInt32, UInt32)])
    func bounds(offset: UInt32, length: UInt32) {
        var builder = CertificateTableBuilder(entryCount: 1)
        builder.addEntry(Self.vcek, offset: offset, length: length)
        let bytes = builder.bytes + [0x30, 1, 2, 3]
        #expect(
            throws: ParseError.invalid(
                field: "VCEK entry",
                rule: "offset \(offset) and length \(length) must lie behind the 48 bytes of "
                    + "entries and within 52")
        ) {
            try SNPCertificateTable(parsing: bytes)
        }
    }

    @Test("is refused with two entries of one GUID, known or not", arguments: [vcek, platform])
    func duplicates(guid: String) {
        var builder = CertificateTableBuilder(entryCount: 2)
        builder.add(guid, [0x30, 1])
        builder.add(guid, [0x30, 1])
        #expect(throws: ParseError.self) { try SNPCertificateTable(parsing: builder.bytes) }
    }

    @Test("is refused beyond 64 KiB")
    func tooLarge() {
        #expect(
            throws: ParseError.lengthOutOfBounds(
                field: "certificate table", length: 65_537, minimum: 0, maximum: 65_536)
        ) {
            try SNPCertificateTable(parsing: Array(repeating: 0, count: 65_537))
        }
    }

    @Test("is refused beyond 32 entries")
    func tooManyEntries() {
        var builder = CertificateTableBuilder(entryCount: 33)
        for index in 0..<33 {
            builder.add(Hex.encode(Array(repeating: UInt8(index + 1), count: 16)), [0x30])
        }
        #expect(
            throws: ParseError.invalid(
                field: "certificate table", rule: "has at most 32 entries")
        ) {
            try SNPCertificateTable(parsing: builder.bytes)
        }
    }

    @Test("is refused with something else in a certificate's place", arguments: [[], [0x31, 0]])
    func noCertificate(data: [UInt8]) {
        var builder = CertificateTableBuilder(entryCount: 1)
        builder.add(Self.ask, data)
        #expect(
            throws: ParseError.invalid(
                field: "ASK certificate", rule: "must be one in DER or PEM")
        ) {
            try SNPCertificateTable(parsing: builder.bytes)
        }
    }
}
