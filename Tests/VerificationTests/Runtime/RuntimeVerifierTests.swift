import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("A running VM")
struct RuntimeVerifierTests {
    @Test("is trusted where every check holds, and every finding is there once")
    func genuine() throws {
        let result = try RuntimeSample().verify()
        #expect(result.isTrusted && result.isHeldToSnapshot)
        #expect(
            result.findings.map(\.check) == [
                "signature", "TLS certificate", "TEE policy", "same TPM key", "reboot",
                "IMA log format",
                "IMA template hashes", "IMA replay", "IMA boot aggregate", "IMA violations",
                "IMA signatures", "snapshot",
            ])
        #expect(result.checks(.notChecked) == ["IMA signatures"])
        #expect(result.checks(.refused).isEmpty && result.problems.isEmpty)
        #expect(result.entryCount == 4 && result.quotedCount == 4)
        #expect(result.finding("TEE policy")?.actual == "all 8 values")
    }

    @Test("is not trusted where something was refused before")
    func earlier() throws {
        var sample = try RuntimeSample()
        sample.findings.append(
            Finding(check: "chip", outcome: .refused, expected: "a", actual: "b"))
        #expect(try !sample.verify().isTrusted)
        #expect(try sample.verify().checks(.refused) == ["chip"])
    }

    @Test("has to serve the certificate that its statement names")
    func certificate() throws {
        var sample = try RuntimeSample()
        sample.served = fixed(0xcf)
        #expect(try sample.verify().checks(.refused) == ["TLS certificate"])
        sample = try RuntimeSample()
        sample.statement.certificate = fixed(0xcf)
        #expect(try sample.verify().checks(.refused) == ["TLS certificate"])
        // The broker is the one that serves: nothing to compare, and that is said.
        sample.served = nil
        let result = try sample.verify()
        #expect(result.isTrusted && result.checks(.notChecked).contains("TLS certificate"))
    }

    static let reportChanges: [(String, Int, [UInt8])] = [
        ("MEASUREMENT", 0x090, [0]), ("MEASUREMENT", 0x0bf, [0]), ("FAMILY_ID", 0x010, [0]),
        ("IMAGE_ID", 0x02f, [0]), ("GUEST_SVN", 0x004, [5]), ("ID_KEY_DIGEST", 0x0e0, [0]),
        ("AUTHOR_KEY_DIGEST", 0x110, [0]), ("AUTHOR_KEY_DIGEST", 0x048, [0]),
        ("POLICY", 0x00a, [0x02]), ("POLICY", 0x008, [0x1e]), ("REPORT_ID_MA", 0x160, [0]),
    ]

    @Test("of SNP has to say each value of the snapshot", arguments: reportChanges)
    func reports(field: String, offset: Int, bytes: [UInt8]) throws {
        var sample = try RuntimeSample()
        sample.report.set(offset, bytes)
        let result = try sample.verify()
        #expect(result.checks(.refused) == ["TEE policy"] && !result.isTrusted)
        #expect(result.finding("TEE policy")?.actual.hasPrefix("\(field): expected ") == true)
        // Without the value in the snapshot there is nothing to differ from.
        sample.snapshot?.header.teePolicy = .snp(SnapshotHeader.SNPPolicy())
        sample.snapshot?.header.tpmPolicy = nil
        #expect(try sample.verify().checks(.refused) == [])
        #expect(try sample.verify().checks(.notChecked).contains("TEE policy"))
    }

    private static let quote: TDXQuoteBuilder = {
        var quote = TDXQuoteBuilder(version: 4)
        quote.header.replaceSubrange(8..<12, with: [5, 0, 6, 0])
        return quote
    }()

    private func trustDomain(
        _ change: (inout SnapshotHeader.TDXPolicy) -> Void
    ) throws -> RuntimeResult {
        var sample = try RuntimeSample()
        sample.quote = Self.quote
        let body = try TDXQuote(parsing: Self.quote.bytes).body
        var attributes = ByteWriter()
        attributes.littleEndian(body.tdAttributes.rawValue)
        var policy = SnapshotHeader.TDXPolicy()
        policy.minimumQESVN = 5
        policy.minimumPCESVN = 6
        policy.qeVendorID = FixedBytes(TDXQuote.intelVendorID)
        policy.minimumTEETCBSVN = body.teeTCBSVN
        policy.mrSeam = body.mrSEAM
        policy.tdAttributes = FixedBytes(attributes.bytes)
        policy.xfam = body.xfam
        policy.mrTD = body.mrTD
        policy.mrConfigID = body.mrConfigID
        policy.mrOwner = body.mrOwner
        policy.mrOwnerConfig = body.mrOwnerConfig
        policy.reportData = fixed(0xdd)
        change(&policy)
        sample.snapshot?.header.teePolicy = .tdx(policy)
        return try sample.verify()
    }

    static let domainChanges: [(String, @Sendable (inout SnapshotHeader.TDXPolicy) -> Void)] = [
        ("QE SVN", { $0.minimumQESVN = 6 }), ("PCE SVN", { $0.minimumPCESVN = 7 }),
        ("QE_VENDOR_ID", { $0.qeVendorID = fixed(0) }),
        ("TEE_TCB_SVN", { $0.minimumTEETCBSVN?[15] += 1 }),
        ("TEE_TCB_SVN", { $0.minimumTEETCBSVN?[0] += 1 }), ("MRSEAM", { $0.mrSeam?[0] ^= 1 }),
        ("TDATTRIBUTES", { $0.tdAttributes?[7] ^= 1 }), ("XFAM", { $0.xfam? ^= 1 }),
        ("MRTD", { $0.mrTD?[47] ^= 1 }), ("MRCONFIGID", { $0.mrConfigID?[0] ^= 1 }),
        ("MROWNER", { $0.mrOwner?[0] ^= 1 }), ("MROWNERCONFIG", { $0.mrOwnerConfig?[0] ^= 1 }),
    ]

    @Test("of TDX has to say each value of the snapshot, and no lower version")
    func domains() throws {
        let good = try trustDomain {
            $0.minimumQESVN = 4
            $0.minimumPCESVN = 0
        }
        #expect(good.isTrusted && good.finding("TEE policy")?.actual == "all 11 values")
        for (field, change) in Self.domainChanges {
            let result = try trustDomain(change)
            #expect(result.checks(.refused) == ["TEE policy"], "\(field)")
            #expect(
                result.finding("TEE policy")?.actual.hasPrefix("\(field): expected ") == true)
        }
    }

    @Test("of another kind than the snapshot's is refused")
    func otherKind() throws {
        var sample = try RuntimeSample()
        sample.quote = Self.quote
        #expect(try sample.verify().checks(.refused) == ["TEE policy", "reboot"])
    }

    @Test("that the host can debug is refused, with a snapshot or without")
    func debug() throws {
        var sample = try RuntimeSample()
        sample.report.set(0x00a, [0x0b])
        sample.snapshot?.header.teePolicy = .snp(SnapshotHeader.SNPPolicy())
        #expect(try sample.verify().finding("TEE policy")?.actual == "debug is on")
        sample.snapshot = nil
        #expect(try sample.verify().checks(.refused) == ["TEE policy"])
        sample = try RuntimeSample()
        sample.quote = Self.quote
        sample.quote?.body[TDXQuoteBuilder.BodyField.tdAttributes.rawValue] = 1
        sample.snapshot = nil
        #expect(try sample.verify().checks(.refused) == ["TEE policy"])
    }

    @Test("has to quote by the snapshot's key, and by the one that it states")
    func key() throws {
        let other: [UInt8] = [0, 0x0b] + [UInt8](repeating: 1, count: 32)
        var sample = try RuntimeSample()
        sample.keyName = other
        #expect(try sample.verify().checks(.refused) == ["same TPM key"])
        sample.statement.attestationKeyName = other
        #expect(try sample.verify().checks(.refused) == ["same TPM key"])
        sample.snapshot?.details?.attestationKeyName = []
        let unnamed = try sample.verify()
        #expect(unnamed.isTrusted && unnamed.checks(.notChecked).contains("same TPM key"))
        sample = try RuntimeSample()
        sample.statement.attestationKeyName = []
        sample.snapshot = nil
        #expect(try sample.verify().checks(.refused) == ["same TPM key"])
        // A snapshot with a key wants a quote.
        sample = try RuntimeSample()
        sample.hasTPM = false
        sample.statement.attestationKeyName = []
        #expect(try sample.verify().checks(.refused) == ["same TPM key", "reboot"])
    }

    @Test("is refused after a reboot that nobody expected")
    func reboot() throws {
        let changes: [(inout RuntimeSample) -> Void] = [
            { $0.attestation.resetCount += 1 }, { $0.attestation.restartCount += 1 },
            { $0.attestation.resetCount = 0 }, { $0.report.set(0x140, [0]) },
        ]
        for change in changes {
            var sample = try RuntimeSample()
            change(&sample)
            #expect(try sample.verify().checks(.refused) == ["reboot"])
            sample.expectedBoot = try sample.verified().boot
            let result = try sample.verify()
            #expect(result.isTrusted)
            #expect(
                result.finding("reboot")?.note
                    == "another boot than the snapshot's was expected")
        }
        var sample = try RuntimeSample()
        sample.expectedBoot = RuntimeBoot(reportID: nil, resetCount: 8, restartCount: nil)
        #expect(try sample.verify().checks(.refused) == ["reboot"])
        sample.expectedBoot = nil
        sample.snapshot?.header = SnapshotHeader()
        #expect(try sample.verify().checks(.notChecked).contains("reboot"))
    }

    @Test(
        "without evidence of a processor, a quote or a log is not trusted, and says what is missing"
    )
    func missing() throws {
        let ofLog = [
            "IMA log format", "IMA template hashes", "IMA replay", "IMA boot aggregate",
            "IMA violations", "IMA signatures", "snapshot",
        ]
        var sample = try RuntimeSample()
        sample.isAuthentic = false
        var result = try sample.verify()
        #expect(
            !result.isTrusted && result.checks(.notChecked) == ["TEE policy", "reboot"] + ofLog)
        sample = try RuntimeSample()
        sample.hasTPM = false
        sample.statement.attestationKeyName = []
        sample.snapshot = nil
        result = try sample.verify()
        #expect(!result.isTrusted && result.checks(.refused).isEmpty)
        #expect(result.finding("IMA replay")?.note == "there is no genuine quote of a TPM")
        sample = try RuntimeSample()
        var none: RuntimeLog?
        result = try sample.verify(&none, sample.reference())
        #expect(!result.isTrusted && result.checks(.notChecked) == ofLog)
        #expect(result.checks(.refused).isEmpty && !result.isHeldToSnapshot)
        // Collisions of SHA-1 are made at will.
        sample.banks = [.sha1]
        sample.attestation.selections = [(0x0004, [0xff, 0x07, 0x00])]
        result = try sample.verify()
        #expect(!result.isTrusted && result.checks(.notChecked) == ofLog)
        sample.banks = [.sha256, .sha1]
        sample.attestation.selections += [(0x000b, [0xff, 0x07, 0x00])]
        #expect(try sample.verify().isTrusted)
    }

    @Test("without a snapshot is trusted as far as its evidence goes, and held to no list")
    func noSnapshot() throws {
        var sample = try RuntimeSample()
        sample.snapshot = nil
        let result = try sample.verify()
        #expect(result.isTrusted && !result.isHeldToSnapshot)
        #expect(
            result.checks(.notChecked)
                == ["TEE policy", "same TPM key", "reboot", "IMA signatures", "snapshot"])
    }
}
