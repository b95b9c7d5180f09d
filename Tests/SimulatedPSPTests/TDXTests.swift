import ArgumentParser
import Bytes
import Foundation
import Linux
import OpenSSL
import Testing

@testable import SimulatedPSP

/// One machine for all tests, and fields of what it gives.
enum SampleMachine {
    static let now: Int64 = 1_800_000_000
    static let machine = Result {
        try TDXMachine(
            TDXPlatform(
                fmspc: TDXPlatform.usualFMSPC,
                ppid: FixedBytes([UInt8](repeating: 0x5a, count: 16)) ?? FixedBytes()),
            under: try TDXAuthority(now: now), now: now)
    }

    static func guest(
        version: UInt16 = 4, generation: TDXGeneration = .v1_0, faults: Set<Fault> = []
    ) throws -> TDXGuest {
        var domain = TrustDomain()
        domain.mrTD = FixedBytes([UInt8](repeating: 1, count: 48)) ?? FixedBytes()
        domain.mrConfigID = FixedBytes([UInt8](repeating: 2, count: 48)) ?? FixedBytes()
        domain.rtmr[1] = FixedBytes([UInt8](repeating: 3, count: 48)) ?? FixedBytes()
        return TDXGuest(
            domain, on: try machine.get(), version: version, generation: generation,
            faults: faults, localKey: Random.secret(32))
    }
}

@Suite("Simulated TDX quotes")
struct TDXQuoteTests {
    private let reportData = (0..<64).map { UInt8($0) }

    /// Where the parts of a quote lie, by its header only.
    private struct Parts {
        let signed: [UInt8]
        let signature: [UInt8]
        let point: [UInt8]
        let report: [UInt8]
        let reportSignature: [UInt8]
        let chain: [UInt8]

        init(_ quote: [UInt8]) {
            let end = quote[0] == 4 ? 48 + 584 : 54 + Int(quote[50]) + Int(quote[51]) << 8
            signed = Array(quote[..<end])
            signature = Array(quote[(end + 4)..<(end + 68)])
            point = Array(quote[(end + 68)..<(end + 132)])
            let start = end + 138
            report = Array(quote[start..<(start + 384)])
            reportSignature = Array(quote[(start + 384)..<(start + 448)])
            chain = Array(quote[(start + 448 + 2 + 32 + 6)...].dropLast())
        }
    }

    @Test(
        "are signed from the body up to the root",
        arguments: [(4, TDXGeneration.v1_0), (5, .v1_0), (5, .v1_5)] as [(UInt16, TDXGeneration)])
    func signatures(version: UInt16, generation: TDXGeneration) throws {
        let machine = try SampleMachine.machine.get()
        let quote = try SampleMachine.guest(version: version, generation: generation)
            .quote(reportData)
        let parts = Parts(quote)
        #expect(parts.signed.count == (version == 4 ? 632 : generation == .v1_0 ? 638 : 702))
        let key = try VerificationKey(p256: try #require(FixedBytes(parts.point)))
        #expect(key.verify(parts.signature, over: parts.signed, scheme: .ecdsa(.sha256)))
        let chain = try X509Certificate.readAll(pem: parts.chain)
        #expect(chain.count == 3)
        let pck = try VerificationKey(of: chain[0])
        #expect(pck.verify(parts.reportSignature, over: parts.report, scheme: .ecdsa(.sha256)))
        let authentication = (0..<32).map { UInt8($0) }
        #expect(
            Array(parts.report[0x140..<0x160])
                == OpenSSLHashing().sha256(parts.point + authentication).bytes)
        #expect(chain[0].isSigned(by: chain[1]) && chain[1].isSigned(by: chain[2]))
        #expect(chain[2].isSigned(by: chain[2]) && chain[2].der == machine.authority.root)
    }

    @Test("carry what was launched where Intel's layout has it")
    func fields() throws {
        let quote = try SampleMachine.guest(version: 5, generation: .v1_5).quote(reportData)
        let body = Array(quote[54..<702])
        #expect(quote[48] == 3 && quote[50] == 0x88 && quote[51] == 0x02)
        #expect(Array(body[..<3]) == [6, 1, 8])
        #expect(Array(body[0x78..<0x80]) == [0, 0, 0, 0x10, 0, 0, 0, 0])
        #expect(Array(body[0x88..<0xb8]) == Array(repeating: 1, count: 48))
        #expect(Array(body[0xb8..<0xe8]) == Array(repeating: 2, count: 48))
        #expect(Array(body[0x178..<0x1a8]) == Array(repeating: 3, count: 48))
        #expect(Array(body[0x208..<0x248]) == reportData)
        #expect(Array(body[0x248..<0x24b]) == [6, 1, 8])
    }

    @Test("faults show in the part that they are about")
    func faults() throws {
        let bad = Parts(try SampleMachine.guest(faults: [.badSignature]).quote(reportData))
        let key = try VerificationKey(p256: try #require(FixedBytes(bad.point)))
        #expect(!key.verify(bad.signature, over: bad.signed, scheme: .ecdsa(.sha256)))
        let enclave = Parts(
            try SampleMachine.guest(faults: [.badEnclaveSignature]).quote(reportData))
        let pck = try VerificationKey(of: X509Certificate.readAll(pem: enclave.chain)[0])
        #expect(
            !pck.verify(enclave.reportSignature, over: enclave.report, scheme: .ecdsa(.sha256)))
        let unbound = Parts(try SampleMachine.guest(faults: [.unboundKey]).quote(reportData))
        #expect(
            Array(unbound.report[0x140..<0x160])
                != OpenSSLHashing().sha256(unbound.point + (0..<32).map { UInt8($0) }).bytes)
        let debug = try SampleMachine.guest(faults: [.debug, .wrongReportData]).quote(reportData)
        #expect(debug[48 + 0x78] == 1 && debug[48 + 0x208] == reportData[0] ^ 1)
        #expect(try SampleMachine.guest(faults: [.handedOver]).domain.rtmr[3].isZero == false)
    }

    @Test("a domain extends its own two registers, and no others")
    func extending() throws {
        var guest = try SampleMachine.guest()
        let digest = [UInt8](repeating: 9, count: 48)
        for register in [0, 1, 4, .max] as [UInt32] {
            let taken = guest.extend(register, with: digest)
            #expect(!taken)
        }
        let taken = guest.extend(3, with: digest)
        #expect(taken)
        let expected = OpenSSLHashing().sha384([UInt8](repeating: 0, count: 48) + digest)
        #expect(guest.domain.rtmr[3] == expected)
        let quote = try guest.quote(reportData)
        #expect(Array(quote[(48 + 0x1d8)..<(48 + 0x208)]) == expected.bytes)
    }

    @Test(
        "a TDREPORT hashes its parts and has the quote's fields", arguments: TDXGeneration.allCases)
    func localReport(generation: TDXGeneration) throws {
        let report = try SampleMachine.guest(generation: generation).localReport(reportData)
        let hashing = OpenSSLHashing()
        #expect(report.count == 1024)
        #expect(Array(report[..<4]) == [0x81, 0, generation == .v1_5 ? 1 : 0, 0])
        #expect(Array(report[0x20..<0x50]) == hashing.sha384(Array(report[0x100..<0x1ef])).bytes)
        #expect(Array(report[0x50..<0x80]) == hashing.sha384(Array(report[0x200...])).bytes)
        #expect(Array(report[0x80..<0xc0]) == reportData)
        #expect(Array(report[0x210..<0x240]) == Array(repeating: 1, count: 48))
        #expect(Array(report[0x240..<0x270]) == Array(repeating: 2, count: 48))
        #expect(Array(report[0x300..<0x330]) == Array(repeating: 3, count: 48))
    }
}

@Suite("What the vendor says of a simulated TDX machine")
struct PCSCollateralTests {
    private func collateral(_ faults: Set<Fault> = []) throws -> PCSCollateral {
        try TDXFaults(faults).collateral(
            of: try SampleMachine.machine.get(), now: SampleMachine.now)
    }

    private func parsed(_ text: String) throws -> JSONValue {
        try JSONReader.parse(Array(text.utf8), limits: JSONReader.Limits(byteCount: 1 << 20))
    }

    @Test("is signed by the TCB signer, lists by their issuers")
    func signatures() throws {
        let all = try collateral()
        let chain = try X509Certificate.readAll(pem: all.signerChain)
        #expect(chain[0].subjectCommonName == "Intel SGX TCB Signing")
        #expect(chain[0].isSigned(by: chain[1]))
        let key = try VerificationKey(of: chain[0])
        for (text, signature) in [
            (all.tcbInfo, all.tcbInfoSignature),
            (all.quotingEnclaveIdentity, all.quotingEnclaveIdentitySignature),
        ] {
            #expect(key.verify(signature, over: Array(text.utf8), scheme: .ecdsa(.sha256)))
        }
        let issuers = try X509Certificate.readAll(pem: all.pckCRLChain)
        let lists = [try X509CRL(der: all.pckCRL), try X509CRL(der: all.rootCRL)]
        for (list, issuer) in zip(lists, issuers) {
            #expect(list.isSigned(by: issuer) && list.isCurrent(at: SampleMachine.now))
            #expect(list.count == 0)
        }
    }

    @Test("names the platform's levels, and the statuses that were ordered")
    func levels() throws {
        let info = try parsed(
            try collateral([.platformStatus("OutOfDate"), .moduleStatus("Revoked")]).tcbInfo)
        #expect(info["id"]?.string == "TDX" && info["version"]?.integer == 3)
        #expect(info["fmspc"]?.string == "B0C06F000000")
        let level = info["tcbLevels"]?.array?.first
        #expect(level?["tcbStatus"]?.string == "OutOfDate")
        #expect(level?["tcb"]?["sgxtcbcomponents"]?.array?.count == 16)
        #expect(level?["tcb"]?["tdxtcbcomponents"]?.array?[0]["svn"]?.integer == 6)
        let module = info["tdxModuleIdentities"]?.array?.first
        #expect(module?["id"]?.string == "TDX_01")
        #expect(module?["tcbLevels"]?.array?.first?["tcbStatus"]?.string == "Revoked")
        let unsupported = try parsed(try collateral([.unsupportedTCB]).tcbInfo)
        #expect(unsupported["tcbLevels"]?.array?.count == 1)
        let other = try parsed(try collateral([.wrongFMSPC]).tcbInfo)
        #expect(other["fmspc"]?.string == "B1C06F000000")
        let identity = try parsed(
            try collateral([.enclaveStatus("OutOfDate")])
                .quotingEnclaveIdentity)
        #expect(identity["tcbLevels"]?.array?.first?["tcbStatus"]?.string == "OutOfDate")
    }

    @Test("ends and revokes on order")
    func endings() throws {
        let machine = try SampleMachine.machine.get()
        let pck = try X509Certificate(der: machine.pck)
        #expect(try X509CRL(der: try collateral([.revokedKey]).pckCRL).revokes(pck))
        let issuer = try X509Certificate(der: machine.authority.platformCA)
        let list = try X509CRL(der: try collateral([.revokedIntermediate]).rootCRL)
        #expect(list.revokes(issuer))
        let old = try X509CRL(der: try collateral([.expiredList]).rootCRL)
        #expect(!old.isCurrent(at: SampleMachine.now))
        let info = try parsed(try collateral([.expiredCollateral]).tcbInfo)
        let next = info["nextUpdate"]?.string.flatMap(ISO8601.time)
        #expect(next == SampleMachine.now - 86400)
    }

    @Test("comes back from its file member by member")
    func json() throws {
        let all = try collateral()
        let value = try parsed(all.json)
        #expect(value["tcb_info"]?.string == all.tcbInfo)
        #expect(value["root_ca_crl"]?.string == Hex.encode(all.rootCRL))
        #expect(
            value["pck_crl_issuer_chain"]?.string
                == String(decoding: all.pckCRLChain, as: UTF8.self))
    }

    @Test("a machine survives its folder")
    func folder() throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("bootgate-tdx-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var command = try Program.parseAsRoot(["tdx", "init", "--dir", path])
        try command.run()
        let machine = try TDXDirectory(path: path).read()
        #expect(machine.platform.fmspc == TDXPlatform.usualFMSPC)
        let pck = try X509Certificate(der: machine.pck)
        #expect(
            try VerificationKey(of: pck).subjectPublicKeyInfo
                == machine.keys.pck.publicKey.subjectPublicKeyInfo)
        #expect(throws: PSPFault.self) { try command.run() }
    }
}

@Suite("A simulated event log")
struct CCEventLogTests {
    @Test("replays to the registers that it came with")
    func replays() throws {
        let hashing = OpenSSLHashing()
        let launch = MeasuredLaunch(
            firmware: SampleFirmware.plain,
            boot: DirectBoot(kernel: [1], initrd: [2], commandLine: "console=ttyS0"),
            hashing: hashing)
        var registers = [FixedBytes<48>](repeating: FixedBytes(), count: 4)
        try launch.log.bytes.parse("log") { reader throws(ParseError) in
            try reader.skip("first event", count: 28)
            let size = try reader.littleEndian("size", as: UInt32.self)
            try reader.skip("specification", count: Int(size))
            while reader.remaining > 0 {
                let index = try reader.littleEndian("index", as: UInt32.self)
                try reader.skip("type, count, algorithm", count: 10)
                let digest = try reader.fixed("digest", as: FixedBytes<48>.self)
                let size = try reader.littleEndian("size", as: UInt32.self)
                try reader.skip("data", count: Int(size))
                let old = registers[Int(index) - 1].bytes
                registers[Int(index) - 1] = hashing.sha384(old + digest.bytes)
            }
        }
        #expect(registers == launch.log.registers)
        #expect(registers[3].isZero && !registers[2].isZero)
    }

    @Test("a PE image counts without its checksum and signatures, and anything else whole")
    func authenticode() {
        var image = [UInt8](repeating: 7, count: 400)
        image.replaceSubrange(0x3c..<0x40, with: [0x80, 0, 0, 0])
        image.replaceSubrange(0x80..<0x84, with: Array("PE\0\0".utf8))
        image.replaceSubrange(0x98..<0x9a, with: [0x0b, 0x02])
        image.replaceSubrange(0x128..<0x130, with: [0x80, 1, 0, 0, 0x10, 0, 0, 0])
        #expect(PEImage.hashed(image).count == 0x180 - 12)
        for count in 0..<image.count where count < 0x12c {
            #expect(PEImage.hashed(Array(image.prefix(count))).count == count)
        }
    }
}
