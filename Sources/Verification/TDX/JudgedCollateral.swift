import Bytes
import Evidence
import OpenSSL
import Policy

/// What Intel publishes about a platform, read and held against its signatures; without a clock and
/// without a quote.
final class JudgedCollateral: Sendable {
    let source: TDXCollateral
    /// nil where it cannot be read.
    let tcbInfo: TCBInfo?
    /// nil where it cannot be read.
    let qeIdentity: QEIdentity?
    /// Revoked PCK certificates; nil where it cannot be read.
    let pckCRL: X509CRL?
    /// Revoked certificates of CAs and signers; nil where it cannot be read.
    let rootCRL: X509CRL?
    /// Those that signed, each with its root; as far as they could be read.
    let issuers: [IntelIssuers]
    let tcbInfoFinding: Finding
    let qeIdentityFinding: Finding
    let listsFinding: Finding

    /// Whether all is genuine, so that it may be remembered.
    var isSound: Bool {
        [tcbInfoFinding, qeIdentityFinding, listsFinding].allSatisfy { $0.outcome == .ok }
    }

    /// Each certificate that signed something, once, and the roots.
    let certificates: [X509Certificate]

    init(_ collateral: TDXCollateral, in store: IntelStore) {
        source = collateral
        var issuers: [IntelIssuers] = []

        var faults = Self.faults(
            of: collateral.tcbInfo, chain: collateral.tcbInfoIssuerChain, store, &issuers)
        tcbInfo = Self.read(&faults) { () throws(ParseError) in
            try TCBInfo(parsing: collateral.tcbInfo.text)
        }
        tcbInfoFinding = TDXCheck.tcbInfo.finding(
            faults: faults, expected: Self.expectedSigner,
            actual: tcbInfo.map { "evaluation \($0.evaluationNumber) for \($0.fmspc.hex)" } ?? "-")

        faults = Self.faults(
            of: collateral.qeIdentity, chain: collateral.qeIdentityIssuerChain, store, &issuers)
        qeIdentity = Self.read(&faults) { () throws(ParseError) in
            try QEIdentity(parsing: collateral.qeIdentity.text)
        }
        qeIdentityFinding = TDXCheck.qeIdentity.finding(
            faults: faults, expected: Self.expectedSigner,
            actual: qeIdentity.map { "evaluation \($0.evaluationNumber)" } ?? "-")

        faults = []
        pckCRL = Self.list(collateral.pckCRL, "PCK CRL", &faults)
        rootCRL = Self.list(collateral.rootCACRL, "root CA CRL", &faults)
        let ca = Self.issuers(
            collateral.pckCRLIssuerChain, as: .pckCA, "PCK CRL", store, &issuers, &faults)
        for (name, list, issuer) in [
            ("PCK CRL", pckCRL, ca?.certificate), ("root CA CRL", rootCRL, ca?.root),
        ] {
            guard let list, let issuer else { continue }
            // What another algorithm of the same key vouches for is none of Intel's lists.
            guard list.signatureIsECDSASHA256, list.isSigned(by: issuer) else {
                let by = "`\(issuer.subjectCommonName)` with ECDSA and SHA-256"
                faults.append("the \(name) is not signed by \(by)")
                continue
            }
        }
        listsFinding = TDXCheck.revocationLists.finding(
            faults: faults, expected: "one signed by the PCK CA and one by the pinned root",
            actual: [pckCRL, rootCRL].compactMap { $0 }
                .map { "\($0.issuerCommonName): \($0.count) entries" }.joined(separator: "; "))
        self.issuers = issuers
        certificates = issuers.reduce(into: []) { all, pair in
            for certificate in [pair.certificate, pair.root]
            where !all.contains(where: { $0.der == certificate.der }) {
                all.append(certificate)
            }
        }
    }

    private static let expectedSigner = "signed by Intel SGX TCB Signing <- the pinned root"

    /// What is wrong with a document's signature and its signer.
    private static func faults(
        of document: SignedJSON, chain: [UInt8], _ store: IntelStore,
        _ all: inout [IntelIssuers]
    ) -> [String] {
        var faults: [String] = []
        guard
            let signer = issuers(chain, as: .tcbSigning, "document", store, &all, &faults),
            faults.isEmpty
        else { return faults }
        let holds =
            signer.key?.verify(
                document.signature, over: document.text, scheme: .ecdsa(.sha256)) ?? false
        return holds
            ? [] : ["the signature is not by `\(signer.certificate.subjectCommonName)`"]
    }

    private static func issuers(
        _ pem: [UInt8], as role: IntelRole, _ name: String, _ store: IntelStore,
        _ all: inout [IntelIssuers], _ faults: inout [String]
    ) -> IntelIssuers? {
        do throws(X509Error) {
            let pair = try store.issuers(pem: pem, as: role)
            all.append(pair)
            faults += pair.faults
            if pair.anchor == nil {
                faults.append(
                    "the root `\(pair.root.subjectCommonName)` "
                        + "\(pair.root.subjectPublicKeyInfoDigest.hex) is not pinned")
            }
            return pair
        } catch {
            faults.append("issuer chain of the \(name): \(error)")
            return nil
        }
    }

    private static func read<T>(
        _ faults: inout [String], _ body: () throws(ParseError) -> T
    ) -> T? {
        do throws(ParseError) {
            return try body()
        } catch {
            faults.append("\(error)")
            return nil
        }
    }

    private static func list(
        _ der: [UInt8], _ name: String, _ faults: inout [String]
    ) -> X509CRL? {
        do throws(X509Error) {
            return try X509CRL(der: der)
        } catch {
            faults.append("\(name): \(error)")
            return nil
        }
    }
}
