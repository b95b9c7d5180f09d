import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

/// A vendor that certifies keys of TPMs: a root and an intermediate.
private final class KeyVendor: Sendable {
    let root: SigningKey
    let intermediate: SigningKey

    init() throws {
        root = try SigningKey.generate(.p256)
        intermediate = try SigningKey.generate(.p256)
    }

    struct Templates {
        var leaf: CertificateTemplate
        var middle: CertificateTemplate
        var top: CertificateTemplate
    }

    static func templates(keyUsage: UInt8 = 0x80) -> Templates {
        let top = CertificateTemplate.Name(commonName: "Root", organization: "Vendor")
        let middle = CertificateTemplate.Name(commonName: "Middle", organization: "Vendor")
        let (from, until) = (TestTPM.now - 1000, TestTPM.now + 1000)
        var leaf = CertificateTemplate(
            subject: CertificateTemplate.Name(commonName: "AK"), issuer: middle,
            serial: [3], notBefore: from, notAfter: until, signature: .ecdsaSHA256)
        leaf.extensions = [usage(keyUsage)]
        var second = CertificateTemplate(
            subject: middle, issuer: top, serial: [2], notBefore: from, notAfter: until,
            signature: .ecdsaSHA256)
        second.isCA = true
        var third = CertificateTemplate(
            subject: top, issuer: top, serial: [1], notBefore: from, notAfter: until,
            signature: .ecdsaSHA256)
        third.isCA = true
        return Templates(leaf: leaf, middle: second, top: third)
    }

    static func usage(_ bits: UInt8) -> CertificateTemplate.Extension {
        CertificateTemplate.Extension(
            oid: "2.5.29.15", value: [3, 2, UInt8(bits.trailingZeroBitCount), bits],
            isCritical: true)
    }

    static func issuer(pathLength: UInt8) -> CertificateTemplate.Extension {
        CertificateTemplate.Extension(
            oid: "2.5.29.19", value: [0x30, 6, 1, 1, 0xff, 2, 1, pathLength], isCritical: true)
    }

    static func purpose(_ last: UInt8) -> CertificateTemplate.Extension {
        // 2.23.133.8.x
        CertificateTemplate.Extension(
            oid: "2.5.29.37", value: [0x30, 7, 6, 5, 0x67, 0x81, 0x05, 0x08, last])
    }

    func chain(
        for kind: SigningKey.Kind = .p256, _ templates: Templates
    ) throws -> [X509Certificate] {
        [
            try TestTPM.Keys.certificate(templates.leaf, for: kind, signedBy: intermediate),
            try X509Certificate(
                der: CertificateIssuer.issue(
                    templates.middle, subjectKey: intermediate, issuerKey: root)),
            try X509Certificate(
                der: CertificateIssuer.issue(templates.top, subjectKey: root, issuerKey: root)),
        ]
    }

    func anchor(_ family: TrustAnchor.Family) -> TrustAnchor {
        TrustAnchor(name: "Root", family: family, keyDigest: root.publicKeyInfoDigest)
    }

    /// A list of the root's or of the intermediate's.
    func list(
        of issuer: String, _ revoked: [[UInt8]] = [], until: Int64 = TestTPM.now + 10
    ) throws -> X509CRL {
        let template = CRLTemplate(
            issuer: CertificateTemplate.Name(commonName: issuer, organization: "Vendor"),
            thisUpdate: TestTPM.now - 10, nextUpdate: until,
            entries: revoked.map { CRLTemplate.Entry(serial: $0, date: TestTPM.now - 20) },
            signature: .ecdsaSHA256)
        return try X509CRL(
            der: issuer == "Root"
                ? CRLIssuer.issue(template, issuerKey: root)
                : CRLIssuer.issue(template, issuerKey: intermediate))
    }
}

@Suite("Certificates of TPM keys")
struct KeyCertificateTests {
    private func certified(
        _ change: (inout KeyVendor.Templates) throws -> Void = { _ in },
        reorder: (inout [X509Certificate]) throws -> Void = { _ in },
        lists: (KeyVendor) throws -> [X509CRL] = { _ in [] }
    ) throws -> TestTPM {
        let vendor = try KeyVendor()
        var templates = KeyVendor.templates()
        try change(&templates)
        var chain = try vendor.chain(templates)
        try reorder(&chain)
        var tpm = try TestTPM()
        tpm.anchors = [vendor.anchor(.attestationKey)]
        tpm.trust = .vendorCertificate(chain: chain, revocationLists: try lists(vendor))
        return tpm
    }

    @Test("a vendor's certificate vouches for its key")
    func genuine() throws {
        let result = try certified().verify()
        #expect(result.refused.isEmpty, "\(result.findings)")
        #expect(result.claims?.keyTrust == .vendorCertificate)
        #expect(result.claims?.keyTrust.launchClass == .hostVTPM)
        #expect(result.notChecked == ["TPM key revocation"])
        for last in [1, 3] as [UInt8] {
            let named = try certified { $0.leaf.extensions.append(KeyVendor.purpose(last)) }
            #expect(try named.verify().claims != nil)
        }
    }

    private static let faults: [(String, TPMCheck, @Sendable (inout KeyVendor.Templates) -> Void)] =
        [
            ("expired leaf", .keyDates, { $0.leaf.notAfter = TestTPM.now - 1 }),
            ("early leaf", .keyDates, { $0.leaf.notBefore = TestTPM.now + 1 }),
            ("expired intermediate", .keyDates, { $0.middle.notAfter = TestTPM.now - 1 }),
            ("early intermediate", .keyDates, { $0.middle.notBefore = TestTPM.now + 1 }),
            ("expired root", .keyDates, { $0.top.notAfter = TestTPM.now - 1 }),
            ("leaf for another use", .keyChain, { $0.leaf.extensions = [KeyVendor.usage(0x20)] }),
            ("leaf for no use", .keyChain, { $0.leaf.extensions = [] }),
            (
                "leaf for another purpose", .keyChain,
                { $0.leaf.extensions.append(KeyVendor.purpose(2)) }
            ),
            (
                "leaf is an issuer", .keyChain,
                {
                    $0.leaf.extensions = []
                    $0.leaf.isCA = true
                }
            ),
            ("leaf of another issuer", .keyChain, { $0.leaf.issuer.commonName = "Other" }),
            ("intermediate is no issuer", .keyChain, { $0.middle.isCA = false }),
            (
                "intermediate is not for signing certificates", .keyChain,
                {
                    $0.middle.isCA = false
                    $0.middle.extensions = [KeyVendor.issuer(pathLength: 0), KeyVendor.usage(0x80)]
                }
            ),
            (
                "root allows no intermediate", .keyChain,
                {
                    $0.top.isCA = false
                    $0.top.extensions = [KeyVendor.issuer(pathLength: 0), KeyVendor.usage(0x04)]
                }
            ),
            (
                "unknown critical extension", .keyChain,
                {
                    $0.leaf.extensions.append(
                        CertificateTemplate.Extension(
                            oid: "1.3.6.1.4.1.99999.1", value: [5, 0], isCritical: true))
                }
            ),
        ]

    @Test("each fault of a certificate is refused by its check", arguments: faults.indices)
    func faulty(index: Int) throws {
        let (name, check, change) = Self.faults[index]
        let result = try certified(change).verify()
        #expect(result.refused.contains(check.rawValue), "\(name): \(result.findings)")
        #expect(result.claims == nil)
    }

    @Test("a cut, swapped or long chain is refused")
    func chains() throws {
        #expect(try certified(reorder: { $0.removeLast() }).verify().refused == ["TPM key root"])
        #expect(try certified(reorder: { $0.remove(at: 1) }).verify().refused == ["TPM key chain"])
        let empty = try certified(reorder: { $0 = [] }).verify()
        #expect(empty.refused.contains("TPM key chain") && empty.claims == nil)
        let alone = try certified(reorder: { $0 = [$0[2]] }).verify()
        #expect(alone.refused.contains("TPM key root") && alone.claims == nil)
        let long = try certified(reorder: { $0 += Array(repeating: $0[2], count: 6) }).verify()
        #expect(long.refused.contains("TPM key chain") && long.claims == nil)
        let foreign = try certified(reorder: { chain in
            chain[1] = try KeyVendor().chain(KeyVendor.templates())[1]
        })
        #expect(try foreign.verify().refused == ["TPM key chain"])
    }

    @Test("a root that is not pinned, or pinned for other keys, is refused")
    func roots() throws {
        var tpm = try certified()
        tpm.anchors = tpm.anchors.map {
            TrustAnchor(name: $0.name, family: .endorsementKey, keyDigest: $0.keyDigest)
        }
        #expect(try tpm.verify().refused == ["TPM key root"])
        tpm.anchors = TrustAnchor.google
        #expect(try tpm.verify().refused == ["TPM key root"])
        tpm.anchors = []
        #expect(try tpm.verify().refused == ["TPM key root"])
    }

    @Test("a certificate of another key does not vouch for this one")
    func otherKey() throws {
        let vendor = try KeyVendor()
        var tpm = try TestTPM()
        tpm.anchors = [vendor.anchor(.attestationKey)]
        tpm.trust = .vendorCertificate(
            chain: try vendor.chain(for: .p384, KeyVendor.templates()), revocationLists: [])
        #expect(try tpm.verify().refused == ["TPM key trust"])
    }

    @Test("a revoked certificate is refused; a list that is old or another's is none")
    func revocation() throws {
        let clean = try certified(lists: { [try $0.list(of: "Root"), try $0.list(of: "Middle")] })
        #expect(try clean.verify().outcome(.keyRevocation) == "ok")
        for (issuer, serial) in [("Root", 2), ("Middle", 3)] as [(String, UInt8)] {
            let revoked = try certified(lists: { [try $0.list(of: issuer, [[serial]])] })
            #expect(try revoked.verify().refused == ["TPM key revocation"])
            #expect(try revoked.verify().claims == nil)
        }
        let old = try certified(lists: {
            [try $0.list(of: "Root", until: TestTPM.now - 1), try $0.list(of: "Middle")]
        })
        #expect(try old.verify().outcome(.keyRevocation) == "not checked")
        let foreign = try certified(lists: { _ in [try KeyVendor().list(of: "Root", [[2]])] })
        #expect(try foreign.verify().outcome(.keyRevocation) == "not checked")
    }

    @Test("an endorsement key's certificate needs a credential that was activated")
    func endorsement() throws {
        let vendor = try KeyVendor()
        var storage = try TestTPM(.p384, .ecdsa(.sha384)).area
        storage.attributes = 0x0003_00b2
        storage.symmetric = [0, 6, 0, 128, 0, 0x43]
        storage.scheme = [0, 0x10]
        let endorsementKey = try TPMPublic(parsing: storage.bytes)
        // keyAgreement
        let chain = try vendor.chain(for: .p384, KeyVendor.templates(keyUsage: 0x08))
        var tpm = try TestTPM()
        tpm.anchors = [vendor.anchor(.endorsementKey)]
        let names = (endorsementKey.name(hashing: OpenSSLHashing()), try tpm.name)
        func verify(
            _ activation: KeyActivation?, _ chain: [X509Certificate]
        ) throws -> TPMResult {
            tpm.trust = .endorsementCertificate(
                EndorsementCertificateEvidence(
                    chain: chain, endorsementKey: endorsementKey, activation: activation))
            return try tpm.verify()
        }
        let good = KeyActivation(recordedEndorsementKey: names.0, attestationKey: names.1)
        #expect(try verify(good, chain).claims?.keyTrust == .ekCertificate)
        #expect(try verify(nil, chain).refused == ["TPM key trust"])
        for bad in [
            KeyActivation(recordedEndorsementKey: names.1, attestationKey: names.1),
            KeyActivation(recordedEndorsementKey: names.0, attestationKey: names.0),
        ] {
            #expect(try verify(bad, chain).refused == ["TPM key trust"])
        }
        let other = try vendor.chain(for: .p256, KeyVendor.templates(keyUsage: 0x08))
        #expect(try verify(good, other).refused == ["TPM key trust"])
        let signing = try vendor.chain(for: .p384, KeyVendor.templates())
        #expect(try verify(good, signing).refused == ["TPM key chain"])
    }

    @Test("a report or an SVSM's manifest vouches for the key that it names, at level 0 only")
    func processor() throws {
        var tpm = try TestTPM()
        tpm.trust = .teeReport(keyName: try tpm.name.bytes)
        #expect(try tpm.verify().claims?.keyTrust == .teeReport)
        let own = try tpm.publicArea.bytes
        tpm.trust = .svsmManifest(SVSMManifest(bytes: own, reportVMPL: 0))
        #expect(try tpm.verify().claims?.keyTrust == .svsmManifest)
        #expect(try tpm.verify().claims?.keyTrust.launchClass == .svsmVTPM)
        tpm.trust = .svsmManifest(SVSMManifest(bytes: own, reportVMPL: 1))
        #expect(try tpm.verify().refused == ["TPM key trust"])
        tpm.trust = .svsmManifest(SVSMManifest(bytes: own + [0], reportVMPL: 0))
        #expect(try tpm.verify().refused == ["TPM key trust"])
        let other = try TestTPM(.p384, .ecdsa(.sha384))
        let manifest = try other.publicArea.bytes
        tpm.trust = .svsmManifest(SVSMManifest(bytes: manifest, reportVMPL: 0))
        #expect(try tpm.verify().refused == ["TPM key trust"])
        let activation = KeyActivation(
            recordedEndorsementKey: try other.name, attestationKey: try tpm.name)
        tpm.trust = .svsmManifest(
            SVSMManifest(bytes: manifest, reportVMPL: 0, activation: activation))
        #expect(try tpm.verify().claims?.keyTrust == .svsmManifest)
        let nonce = FixedBytes<64>()
        #expect(
            SVSMManifest.reportData(nonce: nonce, manifest: manifest)
                == OpenSSLHashing().sha512(nonce.bytes + manifest))
    }
}
