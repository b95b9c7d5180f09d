import Bytes
import Evidence
import Policy
import Testing
import Verification

@testable import SimulatedPSP

@Suite("Reports under our own root")
struct ReportTests {
    @Test(
        "a genuine report is authentic",
        arguments: [
            (SNPProduct.milan, SNPSigningKey.vcek, UInt32(2)), (.milan, .vcek, 3),
            (.milan, .vcek, 5), (.genoa, .vcek, 3), (.turin, .vcek, 5), (.milan, .vlek, 3),
            (.turin, .vlek, 5),
        ])
    func genuine(product: SNPProduct, kind: SNPSigningKey, version: UInt32) throws {
        let evidence = try GenuineEvidence(product, kind, version: version)
        let result = try evidence.verify(try evidence.report())
        #expect(result.refused == [])
        #expect(result.claims?.snp?.product == product)
        #expect(result.claims?.snp?.signingKey == kind)
        #expect(result.findings.map(\.check) == SNPCheck.allCases.map(\.rawValue))
        let unchecked = result.findings.filter { $0.outcome == .notChecked }.map(\.check)
        #expect(
            unchecked == ["revocation list", "revocation"]
                + (kind == .vlek ? ["endorsed chip"] : []))
    }

    @Test("versions above 127 are read from certificates, too")
    func highVersions() throws {
        let tcb = try SimulatedTCB(product: .genoa, changes: "snp=128,microcode=255,tee=127")
        let evidence = try GenuineEvidence(.genoa, tcb: tcb)
        #expect(try evidence.verify(try evidence.report()).claims != nil)
    }

    @Test("no byte of report or signature can change unnoticed")
    func everyByte() throws {
        let evidence = try GenuineEvidence()
        let verifier = SNPVerifier(anchors: evidence.anchors)
        let report = try evidence.report()
        #expect(evidence.verify(report, by: verifier).claims != nil)
        for index in report.indices {
            var changed = report
            changed[index] ^= 1 << UInt8(index % 8)
            let result = evidence.verify(changed, by: verifier)
            #expect(result.claims == nil, "byte \(index)")
            #expect(
                result.refused.contains("signature") || result.refused == ["report"],
                "byte \(index): \(result.refused)")
        }
    }

    @Test("a report of any other length is unreadable, and no check of it is shown as passed")
    func lengths() throws {
        let evidence = try GenuineEvidence()
        let report = try evidence.report()
        for bytes in [[], Array(report.dropLast()), report + [0]] {
            let result = try evidence.verify(bytes)
            #expect(result.refused == ["report"])
            #expect(result.claims == nil)
            #expect(result.report == nil)
            let passed = result.findings.filter { $0.outcome == .ok }.map(\.check)
            #expect(passed == ["chain", "root", "certificate dates"])
        }
    }

    @Test(
        "a field that is wrong although it is signed is refused by its own check",
        arguments: [
            (0x050, [UInt8(1)], ["binding"]),
            (0x08f, [1], ["binding"]),
            (0x1a0, [0x5a, 0xa5, 0x5a, 0xa5], ["endorsed chip"]),
            (0x1dc, [0x5a, 0xa5, 0x5a, 0xa5], ["endorsed chip"]),
            (0x1a0, Array(repeating: 0, count: 64), ["endorsed chip"]),
            // Milan's versions are bootloader 4, tee 0, snp 24, microcode 219.
            (0x180, [3], ["endorsed TCB"]),
            (0x186, [23], ["endorsed TCB"]),
            (0x187, [218], ["endorsed TCB"]),
            (0x180, [5], ["endorsed TCB", "TCB order"]),
            (0x181, [1], ["endorsed TCB", "TCB order"]),
            (0x1e6, [23], ["TCB order"]),
            (0x1e7, [220], ["TCB order"]),
            (0x038, [3], ["TCB order"]),
            (0x03f, [218], ["TCB order"]),
            (0x1f0, [5], ["TCB order"]),
            (0x1f7, [220], ["TCB order"]),
            (0x1ed, [0xff], ["TCB order"]),
            (0x048, [0x04], ["endorsement key"]),
            (0x048, [0x02], ["endorsement key"]),
            (0x048, [0x1c], ["signature", "endorsement key"]),
            (0x189, [0x11], ["product"]),
            (0x188, [0x1a, 0x02], ["product"]),
            (0x188, [0x17, 0x01], ["product"]),
        ])
    func signedField(offset: Int, value: [UInt8], checks: [String]) throws {
        let evidence = try GenuineEvidence()
        let report = try evidence.report {
            $0.replaceSubrange(offset..<offset + value.count, with: value)
        }
        let result = try evidence.verify(report)
        #expect(result.refused == checks)
        #expect(result.claims == nil)
        #expect(result.report != nil)
    }

    @Test("Turin's chip has eight bytes and nothing behind them; its FMC version counts")
    func turin() throws {
        let evidence = try GenuineEvidence(.turin, version: 5)
        for (offset, checks) in [
            (0x1a7, ["endorsed chip"]), (0x1a8, ["endorsed chip"]), (0x1df, ["endorsed chip"]),
            (0x180, ["endorsed TCB"]),
        ] {
            let report = try evidence.report { $0[offset] = offset == 0x180 ? 0 : $0[offset] ^ 1 }
            #expect(try evidence.verify(report).refused == checks)
        }
    }

    @Test("every finding says what was expected and what came")
    func findingsSpeak() throws {
        let evidence = try GenuineEvidence()
        for report in [try evidence.report(), try evidence.report { $0[0x50] ^= 1 }, []] {
            for finding in try evidence.verify(report).findings {
                #expect(!finding.expected.isEmpty && !finding.actual.isEmpty, "\(finding)")
                #expect(finding.outcome != .notChecked || finding.note != nil, "\(finding)")
            }
        }
    }

    @Test("verifiers and policies have names of their own for their checks")
    func namesAreApart() {
        let others: [[String]] = [
            AzureCheck.allCases.map(\.rawValue), TPMCheck.allCases.map(\.rawValue),
            EventLogCheck.allCases.map(\.rawValue),
            IMACheck.allCases.map(\.rawValue), RuntimeCheck.allCases.map(\.rawValue),
            Check.allCases.map(\.rawValue),
        ]
        for platform in [SNPCheck.allCases.map(\.rawValue), TDXCheck.allCases.map(\.rawValue)] {
            var seen: Set<String> = []
            for name in ([platform] + others).joined() {
                #expect(seen.insert(name).inserted, "\(name)")
            }
        }
    }
}
