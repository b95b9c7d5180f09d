import Bytes
import Evidence
import Foundation
import OpenSSL
import Verification

/// A real report of a Milan chip, with its certificates.
enum SNPMeasures {
    /// Certificates nobody has seen before: parsed and checked each time.
    static func full(_ data: String) throws -> () -> Bool {
        let evidence = try Evidence(data)
        return { evidence.isGenuine(SNPVerifier(anchors: TrustAnchor.amd)) }
    }

    /// A chain that was found good before.
    static func cached(_ data: String) throws -> () -> Bool {
        let evidence = try Evidence(data)
        let verifier = SNPVerifier(anchors: TrustAnchor.amd)
        return { evidence.isGenuine(verifier) }
    }

    private struct Evidence {
        let report: [UInt8]
        let certificates: SNPCertificates
        let reportData: FixedBytes<64>
        let time: Int64

        init(_ folder: String) throws {
            func file(_ name: String) throws -> [UInt8] {
                [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
            }
            report = try file("attestation.bin")
            let leaf = try X509Certificate(der: try file("vcek.testcer"))
            let issuers = try X509Certificate.certificates(pem: try file("milan.testcer"))
            certificates = SNPCertificates(
                endorsementKey: leaf.der, intermediate: issuers.first?.der,
                root: issuers.last?.der)
            reportData = try SNPReport(parsing: report).reportData
            time = (leaf.notBefore + leaf.notAfter) / 2
        }

        func isGenuine(_ verifier: SNPVerifier) -> Bool {
            verifier.verify(
                reportBytes: report, certificates: certificates, expected: reportData, at: time
            ).claims != nil
        }
    }
}
