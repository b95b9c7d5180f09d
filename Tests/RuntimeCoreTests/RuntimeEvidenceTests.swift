import Attester
import Bytes
import Evidence
import Linux
import OpenSSL
import Protocol
import Synchronization
import TPM
import TestSupport
import Testing

@testable import RuntimeCore

/// Evidence about a machine of the test's making.
func runtimeEvidence(
    of platform: FakePlatform = FakePlatform(), tpm: TPM.Device?, expectsTPM: Bool = false,
    log: IMALog = IMALog(), snapshot: FixedBytes<32>? = nil
) -> RuntimeEvidence {
    RuntimeEvidence(
        .init(
            vm: VMIdentifier("web-1"), host: Host(name: "web", bootID: "11-22"),
            certificate: OpenSSLHashing().sha256([1]),
            sshHostKeys: { [.init(kind: "ssh-ed25519", digest: OpenSSLHashing().sha256([2]))] }),
        tpm: tpm, expectsTPM: expectsTPM, log: log, snapshot: { snapshot },
        discovery: { () throws(AttesterError) in platform })
}

@Suite("Evidence of a running VM without a TPM")
struct TPMlessEvidenceTests {
    private let hashing = OpenSSLHashing()
    private let nonce = FixedBytes<32>(Random.bytes(32)) ?? FixedBytes()
    private let exporter = FixedBytes<32>(Random.bytes(32)) ?? FixedBytes()

    @Test("the report is over connection, statement, nonce and no key")
    func binding() throws {
        let digest = hashing.sha256([3])
        let (bytes, body) = try runtimeEvidence(tpm: nil, snapshot: digest)
            .evidence(nonce: nonce, exporter: exporter)
        let statement = try RuntimeStatement(parsing: bytes)
        #expect(statement.vm == "web-1")
        #expect(statement.hostName == "web")
        #expect(statement.bootID == "11-22")
        #expect(statement.certificate == hashing.sha256([1]))
        #expect(statement.sshHostKeys.map(\.kind) == ["ssh-ed25519"])
        #expect(statement.snapshot == digest)
        #expect(statement.attestationKeyName == [])
        let message = try EvidenceMessage(parsing: body)
        #expect(message.items.map(\.content) == [.report])
        var expected = ByteWriter()
        expected.raw("bootgate runtime v1".utf8)
        for part in [
            exporter.bytes, hashing.sha256(bytes).bytes, hashing.sha256(nonce.bytes).bytes,
        ] {
            expected.opaque(part, lengthBytes: 2)
        }
        expected.opaque([], lengthBytes: 2)
        #expect(
            message.data(.report) == FakePlatform.report(over: hashing.sha512(expected.bytes)))
    }

    @Test("a machine without a secure processor is told from one whose processor fails")
    func absent() throws {
        let none = AttesterError.noPlatform(directory: "/sys")
        let broken = AttesterError.gaveUp(attempts: 12, last: "busy")
        for (error, expected) in [
            (none, RuntimeEvidenceError.absent(none)), (broken, .unavailable(broken)),
        ] {
            let evidence = RuntimeEvidence(
                runtimeEvidence(tpm: nil).subject, tpm: nil, snapshot: { nil },
                discovery: { () throws(AttesterError) in throw error })
            #expect(throws: expected) {
                _ = try evidence.evidence(nonce: nonce, exporter: exporter)
            }
            #expect(throws: expected) { _ = try evidence.kind() }
        }
    }

    @Test("a TPM that was never there is left out; asking it alone says that there is none")
    func neverThere() throws {
        let evidence = runtimeEvidence(tpm: .file("/dev/no-such-tpm"))
        let (_, body) = try evidence.evidence(nonce: nonce, exporter: exporter)
        #expect(try EvidenceMessage(parsing: body).data(.tpmQuote) == nil)
        #expect(try !evidence.hasTPM())
        #expect {
            _ = try evidence.cosmianTPMQuote(nonce: [1])
        } throws: { error in
            guard case .absent? = error as? RuntimeEvidenceError else { return false }
            return true
        }
    }

    @Test("a TPM that has to be there is asked for even where it never was")
    func expected() throws {
        let evidence = runtimeEvidence(tpm: .file("/dev/no-such-tpm"), expectsTPM: true)
        #expect {
            _ = try evidence.evidence(nonce: nonce, exporter: exporter)
        } throws: { error in
            guard case .unavailable? = error as? RuntimeEvidenceError else { return false }
            return true
        }
        #expect(throws: RuntimeEvidenceError.self) { _ = try evidence.statement() }
        #expect(throws: RuntimeEvidenceError.self) { _ = try evidence.machineState() }
        #expect(throws: RuntimeEvidenceError.self) { _ = try evidence.hasTPM() }
    }

    @Test("each statement has the SSH server's keys that are there at its moment")
    func sshHostKeys() throws {
        let folder = try ScratchFolder()
        let known = runtimeEvidence(tpm: nil)
        let evidence = known.about(
            .init(
                vm: nil, host: known.subject.host, certificate: known.subject.certificate,
                sshHostKeys: { SSHHostKeys.read(in: folder.path, hashing: OpenSSLHashing()) }))
        #expect(try evidence.statement().statement.sshHostKeys.isEmpty)
        let blob = [0, 0, 0, 11] + Array("ssh-ed25519".utf8) + [1]
        try folder.put("ssh_host_ed25519_key.pub", "ssh-ed25519 \(Base64.encode(blob)) root@web\n")
        #expect(try evidence.statement().statement.sshHostKeys.map(\.kind) == ["ssh-ed25519"])
    }

    @Test("a TPM that has been there and is gone is an error, and no evidence comes without it")
    func vanished() throws {
        let folder = try ScratchFolder()
        // A file is no TPM, but it is there.
        let path = try folder.put("tpm", "")
        let evidence = runtimeEvidence(tpm: .file(path))
        #expect(throws: RuntimeEvidenceError.self) {
            _ = try evidence.evidence(nonce: nonce, exporter: exporter)
        }
        try File.remove(path)
        for again in [evidence, evidence.about(evidence.subject)] {
            #expect(throws: RuntimeEvidenceError.self) {
                _ = try again.evidence(nonce: nonce, exporter: exporter)
            }
        }
    }

    @Test("registers that no TPM has are refused before anything is asked", arguments: [-1, 24])
    func registers(index: Int) {
        let evidence = runtimeEvidence(tpm: nil)
        #expect(
            throws: RuntimeEvidenceError.unusable(
                field: "pcrs", rule: "expected at most 24 registers, from 0 to 23")
        ) {
            _ = try evidence.evidence(nonce: nonce, exporter: exporter, pcrs: [0, index])
        }
    }

    @Test("the report for `cosmian_vm` is over its nonce and the certificate, and nothing else")
    func cosmian() throws {
        let report = try runtimeEvidence(tpm: nil).cosmianTEEQuote(nonce: nonce)
        let expected = try #require(FixedBytes<64>(nonce.bytes + hashing.sha256([1]).bytes))
        #expect(report == FakePlatform.report(over: expected))
        let azure = runtimeEvidence(of: FakePlatform(.azureSNP), tpm: nil)
        #expect(throws: RuntimeEvidenceError.self) { _ = try azure.cosmianTEEQuote(nonce: nonce) }
    }

    @Test("requests from several threads ask the processor one after another")
    func serial() async throws {
        let platform = FakePlatform(isSlow: true)
        let evidence = runtimeEvidence(of: platform, tpm: nil)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    _ = try? evidence.evidence(nonce: FixedBytes(), exporter: FixedBytes())
                }
            }
        }
        #expect(platform.load.withLock { $0.most } == 1)
    }

    @Test("a snapshot gets the fields of SNP or TDX, and no TPM where there is none")
    func machineState() throws {
        guard case .snp(let report) = try runtimeEvidence(tpm: nil).machineState().report else {
            Issue.record("no SNP report")
            return
        }
        #expect(report.reportID.bytes == [UInt8](repeating: 0x1d, count: 32))
        let state = try runtimeEvidence(of: FakePlatform(.tdx), tpm: nil).machineState()
        guard case .tdx = state.report else {
            Issue.record("no TDX quote")
            return
        }
        #expect(state.tpm == nil)
        #expect(state.vm == "web-1")
        #expect(state.host == Host(name: "web", bootID: "11-22"))
    }
}

@Suite(
    "Evidence of a running VM with a TPM", .enabled(if: SoftwareTPM.isInstalled), .serialized)
struct QuotedEvidenceTests {
    private let hashing = OpenSSLHashing()
    private let software: SoftwareTPM
    private let nonce = FixedBytes<32>(Random.bytes(32)) ?? FixedBytes()
    private let exporter = FixedBytes<32>(Random.bytes(32)) ?? FixedBytes()
    private var device: TPM.Device { .simulator(port: software.port) }

    init() throws {
        software = try SoftwareTPM()
    }

    private func keyName(_ label: String) throws -> [UInt8] {
        let tpm = try TPM(device)
        return try tpm.makeKey(.attestationP256(label: label)).name
    }

    @Test("report and quote are over one binding, which names the key of the statement")
    func binding() throws {
        let (bytes, body) = try runtimeEvidence(tpm: device)
            .evidence(nonce: nonce, exporter: exporter)
        let statement = try RuntimeStatement(parsing: bytes)
        let message = try EvidenceMessage(parsing: body)
        #expect(statement.attestationKeyName == message.attestationKeyName)
        #expect(try message.attestationKeyName == keyName("bootgate runtime v1"))
        let expected = Binding.runtime(
            exporter: exporter, statement: bytes, nonce: nonce,
            attestationKeyName: statement.attestationKeyName, hashing: hashing)
        #expect(message.data(.report) == FakePlatform.report(over: expected))
        let quote = try TPMAttestation(parsing: try #require(message.data(.tpmQuote)))
        #expect(quote.extraData == hashing.sha256(expected.bytes).bytes)
        let values = try PCRValues(parsing: try #require(message.data(.pcrValues)))
        #expect(
            values.concatenated(quote.selection).map { hashing.digest(.sha256, $0) }
                == quote.pcrDigest)
    }

    @Test("PCR 0 to 10 and those asked for are quoted in every bank but SHA-1's")
    func registers() throws {
        let (_, body) = try runtimeEvidence(tpm: device)
            .evidence(nonce: nonce, exporter: exporter, pcrs: [15, 10])
        let message = try EvidenceMessage(parsing: body)
        let quote = try TPMAttestation(parsing: try #require(message.data(.tpmQuote)))
        let active = try TPM(device).banks().filter { $0 != .sha1 }
        #expect(Set(quote.selection.banks.map(\.algorithm)) == Set(active))
        for bank in quote.selection.banks {
            #expect(bank.indices == Array(0...10) + [15])
        }
    }

    @Test("SHA-1 is quoted where the log's aggregate of the boot is by it")
    func sha1() throws {
        guard try TPM(device).banks().contains(.sha1) else { return }
        let folder = try ScratchFolder()
        try folder.put(
            "ima/ascii_runtime_measurements",
            "10 \(String(repeating: "0", count: 40)) ima-ng "
                + "sha1:\(String(repeating: "1", count: 40)) boot_aggregate\n")
        let (_, body) = try runtimeEvidence(tpm: device, log: IMALog(securityfs: folder.path))
            .evidence(nonce: nonce, exporter: exporter)
        let message = try EvidenceMessage(parsing: body)
        let quote = try TPMAttestation(parsing: try #require(message.data(.tpmQuote)))
        #expect(quote.selection.banks.map(\.algorithm).contains(.sha1))
        #expect(
            try PCRValues(parsing: try #require(message.data(.pcrValues))).concatenated(
                quote.selection
            ).map { hashing.digest(.sha256, $0) } == quote.pcrDigest)
    }

    @Test("a caller's own bytes are signed by a key that neither launch nor report knows")
    func cosmian() throws {
        let evidence = runtimeEvidence(tpm: device)
        let made = try evidence.cosmianTPMQuote(nonce: nonce.bytes)
        let quote = try TPMAttestation(parsing: made.quote)
        #expect(made.pcrHash == "Sha256")
        #expect(quote.extraData == nonce.bytes)
        #expect(quote.selection.banks.map(\.indices) == [[10]])
        let name = try TPMPublic(parsing: made.publicKey).name(hashing: hashing).bytes
        #expect(try name == keyName("bootgate cosmian v1"))
        #expect(try name != keyName("bootgate runtime v1"))
        #expect(try name != keyName("bootgate launch v1"))
        for count in [0, 65] {
            #expect(throws: RuntimeEvidenceError.self) {
                _ = try evidence.cosmianTPMQuote(nonce: [UInt8](repeating: 0, count: count))
            }
        }
    }

    @Test("a vendor's key quotes bindings and never a caller's bytes")
    func vendorKey() throws {
        do {
            let tpm = try TPM(device)
            try tpm.writeNV(0x01c1_0002, [0x30, 0x03, 0x02, 0x01, 0x05])
            try tpm.writeNV(0x01c1_0003, TPMTemplate.attestationP256(label: "vendor").bytes)
        }
        let evidence = runtimeEvidence(tpm: device)
        #expect(try evidence.statement().statement.attestationKeyName == keyName("vendor"))
        let made = try evidence.cosmianTPMQuote(nonce: [1])
        let name = try TPMPublic(parsing: made.publicKey).name(hashing: hashing).bytes
        #expect(try name == keyName("bootgate cosmian v1"))
    }

    @Test("a report to the broker holds the statement that HELLO named")
    func report() throws {
        let evidence = runtimeEvidence(tpm: device)
        let (statement, kind) = try evidence.statement()
        #expect(kind == .snp)
        let message = try evidence.evidence(of: statement) { name in
            hashing.sha512(name)
        }
        #expect(message.data(.statement) == statement.encoded())
        #expect(message.attestationKeyName == statement.attestationKeyName)
        #expect(try EvidenceMessage(parsing: message.encoded()) == message)
        var other = statement
        other.attestationKeyName = [0, 11] + [UInt8](repeating: 7, count: 32)
        #expect(throws: RuntimeEvidenceError.keyChanged) {
            _ = try evidence.evidence(of: other) { name in hashing.sha512(name) }
        }
    }

    @Test("a snapshot gets the counters, the registers and the name of one quote")
    func machineState() throws {
        let evidence = runtimeEvidence(tpm: device)
        let state = try evidence.machineState()
        let tpm = try #require(state.tpm)
        #expect(try tpm.attestationKeyName == keyName("bootgate runtime v1"))
        #expect(tpm.registers.banks[.sha256]?.keys.sorted() == Array(0...10))
        let again = try #require(try evidence.machineState().tpm)
        #expect(again.resetCount == tpm.resetCount)
        #expect(again.restartCount == tpm.restartCount)
        #expect(try evidence.hasTPM())
    }
}
