import Bytes
import OpenSSL
import TPM
import TestSupport
import Testing

@Suite("A TPM, asked through tpm2-tss", .enabled(if: SoftwareTPM.isInstalled), .serialized)
struct TPMTests {
    private let hashing = OpenSSLHashing()
    private let software: SoftwareTPM

    init() throws {
        software = try SoftwareTPM()
    }

    private func open() throws -> TPM {
        try TPM(.simulator(port: software.port))
    }

    @Test("all 24 registers of a bank are read in order, though a TPM gives eight at once")
    func registers() throws {
        let tpm = try open()
        #expect(try tpm.banks().contains(.sha256))
        let marker = hashing.digest(.sha256, [1])
        try tpm.extend(15, [(.sha256, marker)])
        let values = try tpm.registers(Array(0...23), bank: .sha256)
        #expect(values.map(\.index) == Array(0...23))
        let extended = hashing.digest(.sha256, [UInt8](repeating: 0, count: 32) + marker)
        #expect(values[15].digest == extended)
        #expect(values[14].digest == [UInt8](repeating: 0, count: 32))
        #expect(values[17].digest == [UInt8](repeating: 0xff, count: 32))
        #expect(try tpm.registers([15, 3], bank: .sha256).map(\.index) == [3, 15])
    }

    @Test("every bank is extended by its own digest")
    func banks() throws {
        let tpm = try open()
        let banks = try tpm.banks()
        try tpm.extend(16, banks.map { ($0, hashing.digest($0, [7])) })
        for bank in banks {
            let zero = [UInt8](repeating: 0, count: bank.size)
            let value = try tpm.registers([16], bank: bank)[0].digest
            #expect(value == hashing.digest(bank, zero + hashing.digest(bank, [7])))
        }
    }

    @Test(
        "a quote is over what it was asked for, and the key's name is the digest of its public area"
    )
    func quote() throws {
        let tpm = try open()
        #expect(try tpm.supportsP256())
        let key = try tpm.makeKey(.attestationP256(label: "test"))
        #expect(key.name == [0x00, 0x0b] + hashing.digest(.sha256, key.publicArea))
        let extra = [UInt8](repeating: 0x5a, count: 32)
        let quote = try key.quote(over: extra, [0, 1, 15], banks: [.sha256])
        // TPM_GENERATED_VALUE, TPM_ST_ATTEST_QUOTE
        #expect(quote.attest.prefix(6) == [0xff, 0x54, 0x43, 0x47, 0x80, 0x18])
        #expect(quote.attest.contains(extra))
        let values = try tpm.registers([0, 1, 15], bank: .sha256)
        let digest = hashing.digest(.sha256, values.flatMap(\.digest))
        #expect(Array(quote.attest.suffix(32)) == digest)
        // TPM_ALG_ECDSA, TPM_ALG_SHA256
        #expect(quote.signature.prefix(4) == [0x00, 0x18, 0x00, 0x0b])
    }

    @Test("the same label makes the same key, another one another, and RSA a quote by RSASSA")
    func keys() throws {
        let tpm = try open()
        let first = try tpm.makeKey(.attestationP256(label: "a")).name
        #expect(try tpm.makeKey(.attestationP256(label: "a")).name == first)
        #expect(try tpm.makeKey(.attestationP256(label: "b")).name != first)
        let rsa = try tpm.makeKey(.attestationRSA(label: "a"))
        let quote = try rsa.quote(over: [1], [0], banks: [.sha256])
        #expect(quote.signature.prefix(4) == [0x00, 0x14, 0x00, 0x0b])
        #expect(quote.signature.count == 6 + 256)
    }

    @Test("keys are flushed when they die, so that no slot of the TPM stays taken")
    func flushed() throws {
        let tpm = try open()
        for _ in 0..<12 { _ = try tpm.makeKey(.attestationP256(label: "slot")).name }
    }

    @Test("an NV index is defined once, rewritten, and read whole")
    func nv() throws {
        let tpm = try open()
        do {
            _ = try tpm.readNV(0x0140_0002)
            Issue.record("read an index that is not there")
        } catch {
            #expect(error.isMissing)
            #expect(error.description.contains("(TPM_RC_HANDLE)"))
        }
        let content = (0..<1600).map { UInt8(truncatingIfNeeded: $0) }
        try tpm.writeNV(0x0140_0002, content)
        #expect(try tpm.readNV(0x0140_0002) == content)
        try tpm.writeNV(0x0140_0002, content.reversed())
        #expect(try tpm.readNV(0x0140_0002) == content.reversed())
    }

    @Test(
        "a credential opens in the TPM that holds both keys, and for no other key's name",
        arguments: ["RSA", "P-256"])
    func credential(algorithm: String) throws {
        let tpm = try open()
        let endorsement = try tpm.makeKey(
            algorithm == "RSA" ? .endorsementRSA : .endorsementP256)
        let key = try tpm.makeKey(.attestationP256(label: "test"))
        let secret = [UInt8](1...32)
        let credential = try endorsement.makeCredential(secret, for: key.name)
        #expect(try key.activate(credential, by: endorsement) == secret)
        let other = try endorsement.makeCredential(
            secret, for: [0, 11] + [UInt8](repeating: 9, count: 32))
        do {
            _ = try key.activate(other, by: endorsement)
            Issue.record("a credential for another key was opened")
        } catch {
            #expect(error.description.hasPrefix("TPM2_ActivateCredential: response code"))
        }
        let cut = TPMCredential(
            idObject: credential.idObject.dropLast(), encryptedSecret: credential.encryptedSecret)
        do {
            _ = try key.activate(cut, by: endorsement)
            Issue.record("a cut credential was opened")
        } catch {
            #expect(error.description.contains("of the library"))
        }
    }

    @Test("a persistent key that is not there is missing, not broken")
    func persistent() throws {
        let tpm = try open()
        do {
            _ = try tpm.key(persistent: 0x8100_0003).name
            Issue.record("found a key that is not there")
        } catch {
            #expect(error.isMissing)
        }
    }

    @Test("a template that is none is refused before the TPM sees it")
    func brokenTemplate() throws {
        let tpm = try open()
        do {
            _ = try tpm.makeKey(TPMTemplate(bytes: [0, 1, 0])).name
            Issue.record("made a key from nothing")
        } catch {
            #expect(error.description.hasPrefix("TPM2_CreatePrimary: response code"))
        }
    }

    @Test("a device that is not there is named")
    func noDevice() {
        do {
            _ = try TPM(.file("/dev/no-such-tpm"))
            Issue.record("opened a device that is not there")
        } catch {
            #expect(error.description.contains("/dev/no-such-tpm"))
        }
    }
}
