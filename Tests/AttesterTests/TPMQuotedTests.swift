import Bytes
import Evidence
import OpenSSL
import Protocol
import TPM
import TestSupport
import Testing

@testable import Attester

@Suite(
    "A TPM's quote beside a report", .enabled(if: SoftwareTPM.isInstalled), .serialized)
struct TPMQuotedTests {
    private let kernel = FakeKernel()
    private let hashing = OpenSSLHashing()
    private let software: SoftwareTPM
    private var device: TPM.Device { .simulator(port: software.port) }

    init() throws {
        software = try SoftwareTPM()
    }

    private func guest(_ plan: TPMQuotePlan = .launch) throws -> any EvidenceProvider {
        try Platforms.discover(kernel: kernel, hashing: hashing).quoting(device, plan)
    }

    /// A binding that depends on the key's name, as the protocol's does.
    private func binding(_ name: [UInt8]) -> FixedBytes<64> {
        hashing.sha512(Array("binding".utf8) + name)
    }

    @Test("report and quote are over the same binding, which names the key that signed")
    func ordinary() throws {
        kernel.files[GuestFiles.tpmLog] = [4, 5]
        let evidence = try guest().evidence(over: binding)
        let key = try TPMPublic(parsing: try #require(evidence.data(.tpmPublic)))
        #expect(key.name(hashing: hashing).bytes == evidence.attestationKeyName)
        let expected = binding(evidence.attestationKeyName)
        #expect(evidence.data(.report) == FakeKernel.report(over: expected.bytes))
        let quote = try TPMAttestation(parsing: try #require(evidence.data(.tpmQuote)))
        #expect(quote.extraData == hashing.sha256(expected.bytes).bytes)
        let values = try PCRValues(parsing: try #require(evidence.data(.pcrValues)))
        #expect(values.banks[.sha256]?.count == 24)
        #expect(
            values.concatenated(quote.selection).map { hashing.digest(.sha256, $0) }
                == quote.pcrDigest)
        #expect(evidence.data(.eventLog) == [4, 5])
        #expect(evidence.data(.keyCertificate) == nil)
        #expect(try EvidenceMessage(parsing: evidence.encoded()) == evidence)
    }

    @Test("the quote's signature verifies with the key that came with it")
    func signature() throws {
        let evidence = try guest().evidence(over: binding)
        let key = try TPMPublic(parsing: try #require(evidence.data(.tpmPublic)))
        let signature = try #require(evidence.data(.tpmSignature))
        guard case .ecc(.p256, let x, let y) = key.key else {
            Issue.record("the key is no EC key")
            return
        }
        let verifier: VerificationKey = try VerificationKey(ec: .p256, x: x, y: y)
        // sigAlg, hash, then r and s with a size each.
        var parts: [UInt8] = []
        var rest = signature.dropFirst(4)
        while rest.count > 2 {
            let size = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
            parts += [UInt8](repeating: 0, count: 32 - size) + rest.prefix(size)
            rest = rest.dropFirst(size)
        }
        let attest = try #require(evidence.data(.tpmQuote))
        #expect(verifier.verify(parts, over: attest, scheme: .ecdsa(.sha256)))
    }

    @Test("PCR 15 is extended in every bank at the end, and the platform's own register too")
    func end() throws {
        kernel.provider = "tdx_guest\n"
        kernel.files[GuestFiles.tdxGuest] = []
        kernel.files[GuestFiles.rtmr3] = []
        let guest = try guest()
        try guest.checkEnding()
        try guest.endEvidence()
        #expect(kernel.rtmr3 != [UInt8](repeating: 0, count: 48))
        let tpm = try TPM(device)
        for bank in try tpm.banks() {
            let marker = hashing.digest(bank, Array("bootgate end".utf8))
            let zero = [UInt8](repeating: 0, count: bank.size)
            #expect(
                try tpm.registers([15], bank: bank)[0].digest
                    == hashing.digest(bank, zero + marker))
        }
    }

    @Test("a TDX guest keeps the log of its own registers")
    func tdxLog() throws {
        kernel.provider = "tdx_guest\n"
        kernel.files[GuestFiles.ccelLog] = [1]
        kernel.files[GuestFiles.tpmLog] = [2]
        #expect(try guest().evidence(over: binding).data(.eventLog) == [1])
    }

    @Test("below an SVSM its own report covers binding and manifest")
    func svsm() throws {
        kernel.manifest = [7, 7, 7]
        kernel.floor = 2
        let evidence = try guest().evidence(over: binding)
        #expect(evidence.kind == .svsm)
        #expect(evidence.data(.manifest) == [7, 7, 7])
        let nonce = binding(evidence.attestationKeyName)
        #expect(
            evidence.data(.report)
                == FakeKernel.report(over: hashing.sha512(nonce.bytes + [7, 7, 7]).bytes))
        #expect(kernel.privilege.isEmpty)
        kernel.manifest = []
        #expect(
            throws: AttesterError.badReport(field: "manifestblob", problem: "is empty")
        ) { _ = try guest().evidence(over: binding) }
    }

    @Test("a vendor's key is used where its certificate and template are in the TPM")
    func vendorKey() throws {
        let template = TPMTemplate.attestationP256(label: "vendor")
        do {
            let tpm = try TPM(device)
            try tpm.writeNV(0x01c1_0002, [0x30, 0x03, 0x02, 0x01, 0x05])
            try tpm.writeNV(0x01c1_0003, template.bytes)
        }
        let evidence = try guest().evidence(over: binding)
        #expect(evidence.data(.keyCertificate) == [0x30, 0x03, 0x02, 0x01, 0x05])
        let name = try vendorName(template)
        #expect(evidence.attestationKeyName == name)
    }

    @Test("each use quotes by a key of its own, and its own registers")
    func plans() throws {
        let names = try [TPMQuotePlan.launch, .runtime(), .cosmian].map { plan in
            try guest(plan).attestationKeyName()
        }
        #expect(Set(names).count == 3)
        let evidence = try guest(.runtime(registers: [15, 3, 99])).evidence(over: binding)
        #expect(evidence.attestationKeyName == names[1])
        let quote = try TPMAttestation(parsing: try #require(evidence.data(.tpmQuote)))
        #expect(quote.selection.banks.allSatisfy { $0.indices == Array(0...10) + [15] })
        #expect(!quote.selection.banks.map(\.algorithm).contains(.sha1))
    }

    @Test("a vendor's key never signs what a caller chose")
    func callersBytes() throws {
        do {
            let tpm = try TPM(device)
            try tpm.writeNV(0x01c1_0002, [0x30, 0x03, 0x02, 0x01, 0x05])
            try tpm.writeNV(0x01c1_0003, TPMTemplate.attestationP256(label: "vendor").bytes)
        }
        let vendor = try vendorName(.attestationP256(label: "vendor"))
        #expect(try guest(.runtime()).attestationKeyName() == vendor)
        let made = try TPMQuote.make(device, .cosmian, over: [1, 2, 3], hashing: hashing)
        #expect(made.keyName != vendor)
        #expect(made.attestation.extraData == [1, 2, 3])
        #expect(made.attestation.selection.banks.map(\.indices) == [[10]])
    }

    private func vendorName(_ template: TPMTemplate) throws -> [UInt8] {
        let tpm = try TPM(device)
        return try tpm.makeKey(template).name
    }

    @Test("a TPM that is not there ends the launch, and no evidence comes without it")
    func noTPM() throws {
        let guest = try Platforms.discover(kernel: kernel, hashing: hashing)
            .quoting(.file("/dev/no-such-tpm"), .launch)
        #expect(throws: AttesterError.self) { try guest.checkEnding() }
        #expect(throws: AttesterError.self) { _ = try guest.evidence(over: binding) }
    }
}
