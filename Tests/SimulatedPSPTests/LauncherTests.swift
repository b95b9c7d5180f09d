import ArgumentParser
import Bytes
import Evidence
import Foundation
import Linux
import OpenSSL
import Policy
import Testing
import Verification

@testable import SimulatedPSP

/// Everything from `init` to a verified report, on disk as the lab has it.
@Suite("A simulated chip, from its folder to a report")
struct LauncherTests {
    /// Made once: it takes two RSA keys.
    private static let home: Result<Home, any Error> = Result { try Home() }

    final class Home: Sendable {
        let path: String
        let platform: Platform
        let anchors: [TrustAnchor]

        init() throws {
            path =
                FileManager.default.temporaryDirectory
                .appendingPathComponent("bootgate-psp-\(UUID().uuidString)").path
            var command = try Program.parseAsRoot([
                "init", "--dir", path, "--product", "genoa", "--tcb", "snp=200",
            ])
            try command.run()
            let content = try PlatformDirectory(path: path).read()
            platform = content.platform
            anchors = [
                TrustAnchor(
                    name: "simulated", product: .genoa,
                    keyDigest: content.authority.rootKey.publicKeyInfoDigest)
            ]
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private let reportData = [UInt8](repeating: 0x42, count: 64)

    private func launch(
        _ faults: Set<Fault> = [], version: UInt32 = 3
    ) throws -> (answer: Answer, result: VerificationResult) {
        let home = try Self.home.get()
        let launcher = Launcher(
            measurement: FixedBytes([UInt8](repeating: 5, count: 48)) ?? FixedBytes(),
            directory: PlatformDirectory(path: home.path),
            hostData: FixedBytes(Array(repeating: 7, count: 32)), policy: 0x30000, vmpl: 1,
            reportVersion: version, faults: faults)
        let processor = try launcher.launch(log: try EventLog("/dev/null"))
        let answer = try processor.answer(reportData, vmpl: 0)
        let table = try SNPCertificateTable(parsing: answer.certificates)
        let result = SNPVerifier(anchors: home.anchors).verify(
            reportBytes: answer.report, certificates: SNPCertificates(table, signedBy: .vcek),
            expected: FixedBytes(reportData) ?? FixedBytes(), at: Clock.realtime)
        return (answer, result)
    }

    private func refused(_ fault: Fault) throws -> [String] {
        try launch([fault]).result.findings.filter { $0.outcome == .refused }.map(\.check)
    }

    @Test("says what was ordered, and a verifier believes it", arguments: [2, 3, 5] as [UInt32])
    func genuine(version: UInt32) throws {
        let result = try launch(version: version).result
        let claims = try #require(result.claims?.snp, "\(result.findings)")
        #expect(claims.hostData.bytes == Array(repeating: 7, count: 32))
        #expect(claims.guestPolicy.rawValue == 0x30000)
        #expect(claims.vmpl == 1)
        #expect(claims.reportedTCB[.snp] == 200)
        #expect(claims.reportedTCB[.bootloader] == 10)
        #expect(claims.chipID == (try Self.home.get()).platform.chipID)
    }

    @Test("has another REPORT_ID at each launch and one within it")
    func reportID() throws {
        let first = try launch().result.report?.reportID
        let second = try launch().result.report?.reportID
        #expect(first != second)
    }

    @Test("faults show where they belong")
    func faults() throws {
        #expect(try refused(.badSignature) == ["signature"])
        #expect(try refused(.wrongRoot) == ["root"])
        #expect(try launch([.noCertificates]).answer.certificates == [])
        #expect(try refused(.noCertificates) == ["chain"])
        let low = try #require(try launch([.lowTCB]).result.claims?.snp)
        #expect(low.reportedTCB.raw.isZero)
        #expect(try launch([.debug]).result.claims?.snp?.guestPolicy.allowsDebug == true)
        #expect(try launch().result.claims?.snp?.guestPolicy.allowsDebug == false)
    }

    @Test("another chip can be made under the same root, and no chip over another")
    func underAnother() throws {
        let home = try Self.home.get()
        let other = home.path + "-other"
        defer { try? FileManager.default.removeItem(atPath: other) }
        let order = ["init", "--dir", other, "--product", "Genoa", "--under", home.path]
        var command = try Program.parseAsRoot(order)
        try command.run()
        let content = try PlatformDirectory(path: other).read()
        #expect(content.authority.rootKey.publicKeyInfoDigest == home.anchors[0].keyDigest)
        #expect(content.platform.chipID != home.platform.chipID)
        #expect(throws: PSPFault.self) { try command.run() }
    }

    @Test("keys are for their owner only")
    func modes() throws {
        let home = try Self.home.get()
        for name in ["ark.key", "ask.key", "vcek.key"] {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: "\(home.path)/\(name)")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test("a folder that is not one names the file that is missing")
    func noFolder() throws {
        let expected = "bootgate-psp init --dir /nonexistent"
        do {
            _ = try PlatformDirectory(path: "/nonexistent").read()
            Issue.record("expected a fault")
        } catch {
            #expect(error.description.contains(expected))
            #expect(error.exitCode == 2)
        }
    }
}
