import Bytes
import OpenSSL

/// What Intel's provisioning service answers about a platform, signed by a ``TDXAuthority``.
struct PCSCollateral {
    /// The exact bytes that are signed.
    var tcbInfo: String
    var tcbInfoSignature: [UInt8]
    var quotingEnclaveIdentity: String
    var quotingEnclaveIdentitySignature: [UInt8]
    /// PEM: TCB signer and root, for both of the above.
    var signerChain: [UInt8]
    /// DER.
    var pckCRL: [UInt8]
    /// PEM: PCK CA and root.
    var pckCRLChain: [UInt8]
    /// DER.
    var rootCRL: [UInt8]

    /// What the vendor says, and how.
    struct Order {
        /// When all of it was issued, seconds since 1970 UTC.
        var issued: Int64
        /// For how long it counts.
        var days: Int64 = 30
        /// Days of the quoting enclave's identity, where they differ.
        var identityDays: Int64?
        /// Days of both lists, where they differ.
        var listDays: Int64?
        /// FMSPC that the TCB info is about; the platform's own if nil.
        var fmspc: FixedBytes<6>?
        /// Status of the level that the platform has; nil for none that it reaches.
        var platformStatus: String? = "UpToDate"
        /// Status of the TDX module's version.
        var moduleStatus = "UpToDate"
        /// Status of the quoting enclave's version.
        var quotingEnclaveStatus = "UpToDate"
        var advisories: [String] = []
        var revokesPCK = false
        var revokesPlatformCA = false
        var evaluationNumber = 18
    }

    init(
        _ order: Order, for platform: TDXPlatform, pck: CertificateTemplate,
        authority: TDXAuthority
    ) throws(CryptoError) {
        let info = TCBInfoText(order: order, platform: platform)
        tcbInfo = info.tcbInfo
        quotingEnclaveIdentity = info.quotingEnclaveIdentity
        tcbInfoSignature = try authority.tcbSignerKey.sign(
            Array(tcbInfo.utf8), scheme: .ecdsa(.sha256))
        quotingEnclaveIdentitySignature = try authority.tcbSignerKey.sign(
            Array(quotingEnclaveIdentity.utf8), scheme: .ecdsa(.sha256))
        signerChain = TDXAuthority.pem([authority.tcbSigner, authority.root])
        pckCRLChain = TDXAuthority.pem([authority.platformCA, authority.root])
        pckCRL = try CRLIssuer.issue(
            Self.list(.platformCA, order, order.revokesPCK ? [pck.serial] : []),
            issuerKey: authority.platformCAKey)
        let platformCA = TDXAuthority.template(.platformCA, now: order.issued)
        rootCRL = try CRLIssuer.issue(
            Self.list(.root, order, order.revokesPlatformCA ? [platformCA.serial] : []),
            issuerKey: authority.rootKey)
    }

    private static func list(
        _ issuer: TDXAuthority.Member, _ order: Order, _ serials: [[UInt8]]
    ) -> CRLTemplate {
        var list = CRLTemplate(
            issuer: TDXAuthority.name(issuer.commonName), thisUpdate: order.issued,
            nextUpdate: order.issued + (order.listDays ?? order.days) * 86400,
            entries: serials.map { CRLTemplate.Entry(serial: $0, date: order.issued) },
            signature: .ecdsaSHA256)
        list.extensions = [CertificateTemplate.Extension(oid: "2.5.29.20", value: [2, 1, 1])]
        return list
    }

    /// One JSON object with everything, in the form that `bootgate appraise tdx --collateral` reads.
    var json: String {
        JSONText.object([
            ("tcb_info_issuer_chain", Self.text(signerChain)),
            ("tcb_info", .string(tcbInfo)),
            ("tcb_info_signature", .string(Hex.encode(tcbInfoSignature))),
            ("qe_identity_issuer_chain", Self.text(signerChain)),
            ("qe_identity", .string(quotingEnclaveIdentity)),
            ("qe_identity_signature", .string(Hex.encode(quotingEnclaveIdentitySignature))),
            ("pck_crl_issuer_chain", Self.text(pckCRLChain)),
            ("pck_crl", .string(Hex.encode(pckCRL))),
            ("root_ca_crl", .string(Hex.encode(rootCRL))),
        ])
    }

    /// Body of the answer to `/tdx/certification/v4/tcb`.
    var tcbInfoResponse: String {
        "{\"tcbInfo\":\(tcbInfo),\"signature\":\"\(Hex.encode(tcbInfoSignature))\"}"
    }

    /// Body of the answer to `/tdx/certification/v4/qe/identity`.
    var quotingEnclaveIdentityResponse: String {
        "{\"enclaveIdentity\":\(quotingEnclaveIdentity),\"signature\":\""
            + "\(Hex.encode(quotingEnclaveIdentitySignature))\"}"
    }

    private static func text(_ bytes: [UInt8]) -> JSONText.Value {
        .string(String(decoding: bytes, as: UTF8.self))
    }
}
