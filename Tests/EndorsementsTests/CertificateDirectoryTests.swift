import Bytes
import Evidence
import Foundation
import TestSupport
import Testing

@testable import Endorsements

@Suite("A folder of certificates")
final class CertificateDirectoryTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("bootgate-endorsements-\(UUID().uuidString)")
    private let chip = String(repeating: "c4", count: 64)

    private var directory: CertificateDirectory { CertificateDirectory(folder.path) }

    /// What is found; a missing certificate is an issue of the test.
    private func found(
        _ table: SNPCertificates = SNPCertificates(), for report: SNPReport
    ) -> SNPCertificates {
        let completion = directory.complete(table: table, for: report, at: Documents.issued)
        #expect(completion.missing.isEmpty)
        return completion.certificates
    }

    /// The names of what is missing.
    private func missing(
        _ table: SNPCertificates = SNPCertificates(), for report: SNPReport
    ) -> [String] {
        directory.complete(table: table, for: report, at: Documents.issued).missing.map(\.name)
    }

    /// Anything that begins like DER is taken; a verifier looks into it.
    private func certificate(_ mark: UInt8) -> [UInt8] { [0x30, 0x01, mark] }

    private func put(_ path: String, _ content: [UInt8]) throws {
        let file = folder.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(content).write(to: file)
    }

    private func putGenoa() throws {
        try put("vcek/\(chip)/bl10_tee00_snp23_ucode84.der", certificate(1))
        try put("Genoa/ask.der", certificate(2))
        try put("Genoa/ark.der", certificate(3))
    }

    /// A report of a Genoa with the TCB bootloader 10, tee 0, snp 23, microcode 84.
    private func report(_ change: (inout SNPReportBuilder) -> Void = { _ in }) throws -> SNPReport {
        var builder = SNPReportBuilder()
        change(&builder)
        return try SNPReport(parsing: builder.bytes)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    @Test("fills what a host without certificates left out")
    func fillsEverything() throws {
        try putGenoa()
        #expect(
            found(for: try report())
                == SNPCertificates(
                    endorsementKey: certificate(1), intermediate: certificate(2),
                    root: certificate(3)))
    }

    @Test("never replaces what the host gave")
    func keepsTheHosts() throws {
        try putGenoa()
        let given = SNPCertificates(endorsementKey: certificate(9), root: certificate(8))
        #expect(
            found(given, for: try report())
                == SNPCertificates(
                    endorsementKey: certificate(9), intermediate: certificate(2),
                    root: certificate(8)))
    }

    @Test("asks for nothing when the host gave all")
    func needsNoFolder() throws {
        let given = SNPCertificates(
            endorsementKey: certificate(1), intermediate: certificate(2), root: certificate(3))
        #expect(found(given, for: try report()) == given)
    }

    @Test("names the missing VCEK by path, chip and firmware")
    func namesTheVCEK() throws {
        try put("Genoa/ask.der", certificate(2))
        let name = try #require(missing(for: try report()).first)
        #expect(
            name == "VCEK for chip \(chip) with bootloader 10, tee 0, snp 23, microcode 84: no "
                + "\(folder.path)/vcek/\(chip)/bl10_tee00_snp23_ucode84.der")
    }

    @Test("names a missing issuer", arguments: ["ask", "ark"])
    func namesTheIssuer(name: String) throws {
        try putGenoa()
        try FileManager.default.removeItem(at: folder.appendingPathComponent("Genoa/\(name).der"))
        #expect(
            missing(for: try report())
                == ["\(name.uppercased()) for Genoa: no \(folder.path)/Genoa/\(name).der"])
    }

    @Test("reads PEM and the names that Trustee uses")
    func readsOtherForms() throws {
        try put("vcek/\(chip)/bl10_tee00_snp23_ucode84_vcek.der", certificate(1))
        try put(
            "Genoa/ask.pem",
            Array("-----BEGIN CERTIFICATE-----\nMAEC\n-----END CERTIFICATE-----\n".utf8))
        try put("Genoa/ark.der", certificate(3))
        #expect(
            found(for: try report())
                == SNPCertificates(
                    endorsementKey: certificate(1), intermediate: certificate(2),
                    root: certificate(3)))
    }

    @Test("looks for eight bytes of chip ID and the FMC version on Turin")
    func findsTurin() throws {
        try put("vcek/0102030405060708/bl01_tee00_snp02_ucode71_fmc03.der", certificate(1))
        try put("Turin/ask.der", certificate(2))
        try put("Turin/ark.der", certificate(3))
        let report = try report {
            $0.set(0x188, [0x1a, 0x02, 0x01])
            $0.set(0x180, [3, 1, 0, 2, 0, 0, 0, 71])
            $0.set(0x1a0, [1, 2, 3, 4, 5, 6, 7, 8] + Array(repeating: 0, count: 56))
        }
        #expect(
            found(for: report)
                == SNPCertificates(
                    endorsementKey: certificate(1), intermediate: certificate(2),
                    root: certificate(3)))
    }

    @Test("looks for a VLEK by the processor line, and for its own intermediate")
    func findsVLEK() throws {
        try put("vlek/Genoa/bl10_tee00_snp23_ucode84.der", certificate(1))
        try put("Genoa/asvk.der", certificate(2))
        try put("Genoa/ark.der", certificate(3))
        let report = try report { $0.set(0x048, littleEndian: UInt32(1 << 2)) }
        #expect(
            found(for: report)
                == SNPCertificates(
                    endorsementKey: certificate(1), intermediate: certificate(2),
                    root: certificate(3)))
    }

    @Test("takes the line of a report without CPUID from its certificate")
    func findsTheLineOfVersion2() throws {
        try putGenoa()
        var builder = SNPReportBuilder(version: 2)
        builder.set(0x180, [10, 0, 0, 0, 0, 0, 23, 84])
        let report = try SNPReport(parsing: builder.bytes)
        let leaf = certificate(1) + Array("SEV-Genoa".utf8)
        let given = SNPCertificates(endorsementKey: leaf)
        #expect(
            found(given, for: report)
                == SNPCertificates(
                    endorsementKey: leaf, intermediate: certificate(2), root: certificate(3)))
        #expect(
            missing(for: report) == [
                "ASK and ARK: neither the report nor its certificate names a processor "
                    + "line"
            ])
    }

    @Test("cannot look for the VCEK of a hidden chip")
    func refusesHiddenChip() throws {
        let report = try report { $0.set(0x1a0, Array(repeating: 0, count: 64)) }
        #expect(
            missing(for: report).first
                == "VCEK: CHIP_ID is hidden by the host, so none can be looked for")
    }

    @Test("follows no symbolic link", arguments: ["Genoa", "Genoa/ask.der"])
    func followsNoLink(path: String) throws {
        try putGenoa()
        let link = folder.appendingPathComponent(path)
        let elsewhere = folder.appendingPathComponent("elsewhere")
        try FileManager.default.moveItem(at: link, to: elsewhere)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: elsewhere)
        let name = try #require(missing(for: try report()).first)
        #expect(name.hasPrefix("ASK for Genoa: "))
    }

    @Test("refuses a file that is too large, and one that is no certificate")
    func refusesBadFiles() throws {
        try putGenoa()
        for content in [Array(repeating: 0x30, count: 65537), Array("hello".utf8)] as [[UInt8]] {
            try put("Genoa/ask.der", content)
            let name = try #require(missing(for: try report()).first)
            #expect(name.contains("Genoa/ask.der"))
        }
    }

    @Test("takes what was fetched, and wants what is missing")
    func fetched() throws {
        let cache = EndorsementCache(folder.path)
        let first = directory.complete(
            table: SNPCertificates(), for: try report(), at: Documents.issued)
        #expect(
            first.wanted == [
                Documents.vcekObject, .amdIssuers(.vcek, .genoa), .amdRevocations(.genoa),
            ])
        for object in first.wanted {
            try cache.store(try Documents.content(object), as: object, metadata: nil)
        }
        let second = directory.complete(
            table: SNPCertificates(), for: try report(), at: Documents.expires)
        #expect(second.missing.isEmpty)
        #expect(second.wanted.isEmpty)
        #expect(second.certificates.endorsementKey == cache.entry(Documents.vcekObject)?.body)
        #expect(second.certificates.intermediate != second.certificates.root)
        #expect(
            second.certificates.revocationLists
                == [try #require(cache.entry(.amdRevocations(.genoa))).body])
    }

    @Test("wants a new revocation list when the next one is due, and gives the old one till then")
    func staleRevocations() throws {
        try putGenoa()
        let object = EndorsementObject.amdRevocations(.genoa)
        let cache = EndorsementCache(folder.path)
        try cache.store(try Documents.content(object), as: object, metadata: nil)
        let completion = directory.complete(
            table: SNPCertificates(), for: try report(), at: Documents.expires + 1)
        #expect(completion.wanted == [object])
        #expect(completion.missing.isEmpty)
        #expect(completion.certificates.revocationLists.count == 1)
    }

    @Test("wants the VCEK of a report without CPUID from both lines that it may be of")
    func wantsBothLines() throws {
        var builder = SNPReportBuilder(version: 2)
        builder.set(0x180, [10, 0, 0, 0, 0, 0, 23, 84])
        let completion = directory.complete(
            table: SNPCertificates(), for: try SNPReport(parsing: builder.bytes),
            at: Documents.issued)
        #expect(
            completion.wanted.map(\.description)
                == ["Milan", "Genoa"].map {
                    "vcek/\($0)/\(chip)/bl10_tee00_snp23_ucode84"
                })
    }
}
