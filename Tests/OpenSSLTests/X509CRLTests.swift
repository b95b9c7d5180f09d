import Bytes
import OpenSSL
import Testing

@Suite("Revocation lists")
struct X509CRLTests {
    private static let authority = CertificateTemplate.Name(
        commonName: "CA", organization: "Somebody")
    private static let start: Int64 = 1_700_000_000
    private static let end: Int64 = 1_702_592_000

    private struct Issuer: ~Copyable {
        let key: SigningKey
        let certificate: X509Certificate

        /// `keyUsage` is the extension's content; nil leaves the extension out.
        init(_ name: CertificateTemplate.Name = authority, keyUsage: [UInt8]? = [3, 2, 1, 2])
            throws
        {
            let key = try SigningKey.generate(.p256)
            var template = CertificateTemplate(
                subject: name, issuer: name, serial: [1], notBefore: start, notAfter: end,
                signature: .ecdsaSHA256)
            if let keyUsage {
                template.extensions = [.init(oid: "2.5.29.15", value: keyUsage, isCritical: true)]
            }
            certificate = try X509Certificate(
                der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
            self.key = key
        }

        borrowing func subject(_ serial: [UInt8], by name: CertificateTemplate.Name = authority)
            throws -> X509Certificate
        {
            let template = CertificateTemplate(
                subject: .init(commonName: "leaf"), issuer: name, serial: serial,
                notBefore: start, notAfter: end, signature: .ecdsaSHA256)
            return try X509Certificate(
                der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
        }

        borrowing func list(
            _ change: (inout CRLTemplate) -> Void = { _ in }
        ) throws -> [UInt8] {
            var template = CRLTemplate(
                issuer: authority, thisUpdate: start, nextUpdate: end,
                entries: [.init(serial: [0x12, 0], date: start)], signature: .ecdsaSHA256)
            change(&template)
            return try CRLIssuer.issue(template, issuerKey: key)
        }
    }

    private func fault(_ der: [UInt8]) -> X509Error.RevocationListFault? {
        do throws(X509Error) {
            _ = try X509CRL(der: der)
            return nil
        } catch {
            guard case .revocationList(let fault) = error else { return nil }
            return fault
        }
    }

    @Test("names its issuer, its time and the certificates it takes back")
    func reading() throws {
        let issuer = try Issuer()
        let list = try X509CRL(der: issuer.list())
        #expect(list.issuerCommonName == "CA")
        #expect(list.thisUpdate == Self.start && list.nextUpdate == Self.end)
        #expect(list.count == 1)
        #expect(list.isCurrent(at: Self.start) && list.isCurrent(at: Self.end))
        #expect(!list.isCurrent(at: Self.start - 1) && !list.isCurrent(at: Self.end + 1))
        #expect(list.isSigned(by: issuer.certificate))
        #expect(!list.signatureIsRSAPSSSHA384)
        #expect(list.revokes(try issuer.subject([0x12, 0])))
        #expect(!list.revokes(try issuer.subject([0x12])))
        #expect(!list.revokes(try issuer.subject([0x12, 0, 0])))
        // The same number by another issuer is another certificate.
        #expect(!list.revokes(try issuer.subject([0x12, 0], by: .init(commonName: "other"))))
    }

    @Test("a list in AMD's signature scheme is told from others")
    func scheme() throws {
        let key = try SigningKey.generate(.rsa4096)
        let template = CRLTemplate(
            issuer: Self.authority, thisUpdate: Self.start, nextUpdate: Self.end,
            signature: .rsaPSSSHA384)
        let list = try X509CRL(der: CRLIssuer.issue(template, issuerKey: key))
        #expect(list.signatureIsRSAPSSSHA384)
        #expect(list.count == 0)
    }

    @Test("is signed by nobody but the key, the name and the key usage that it has to be")
    func signature() throws {
        let issuer = try Issuer()
        let der = try issuer.list()
        #expect(!(try X509CRL(der: der).isSigned(by: try Issuer().certificate)))
        let otherName = try issuer.list { $0.issuer.commonName = "CB" }
        #expect(!(try X509CRL(der: otherName).isSigned(by: issuer.certificate)))
        // keyCertSign alone, as AMD's ASK has it
        let noLists = try Issuer(keyUsage: [3, 2, 2, 4])
        #expect(!(try X509CRL(der: noLists.list()).isSigned(by: noLists.certificate)))
        let noUsage = try Issuer(keyUsage: nil)
        #expect(try X509CRL(der: noUsage.list()).isSigned(by: noUsage.certificate))
        for index in der.indices {
            var changed = der
            changed[index] ^= 0x04
            guard let list = try? X509CRL(der: changed) else { continue }
            #expect(!list.isSigned(by: issuer.certificate), "byte \(index)")
        }
    }

    @Test("every cut, a trailing byte, PEM, and what is too long are refused by name")
    func encodings() throws {
        let der = try Issuer().list()
        for count in 1..<der.count {
            let fault = fault(Array(der.prefix(count)))
            guard case .malformed = fault else {
                Issue.record("\(count) bytes: \(String(describing: fault))")
                return
            }
        }
        #expect(fault(der + [0]) == .trailingBytes(1))
        let maximum = X509CRL.maximumCount
        #expect(fault([]) == .length(actual: 0, maximum: maximum))
        let long = [UInt8](repeating: 0x30, count: 100 << 20)
        #expect(fault(long) == .length(actual: long.count, maximum: maximum))
        #expect(fault(Array("-----BEGIN X509 CRL-----\n".utf8)) == .pemInsteadOfDER)
    }

    @Test("a length written longer than it has to be is not DER, also inside the signed part")
    func canonical() throws {
        let der = try Issuer().list()
        // 30 81 LL, then the signed part: 30 LL 02 01 01 ...
        let whole = Array(der[3...])
        let count = Int(whole[1])
        #expect(der[1] == 0x81 && whole[0] == 0x30 && count < 0x7f)
        let signed = Array(whole[2..<2 + count])
        let rest = Array(whole[(2 + count)...])
        func list(_ body: [UInt8]) -> [UInt8] { [0x30, 0x81, UInt8(body.count)] + body }
        #expect(list([0x30, UInt8(count)] + signed + rest) == der)
        #expect(fault(list([0x30, 0x81, UInt8(count)] + signed + rest)) == .notCanonical)
        let version: [UInt8] = [0x02, 0x81, 0x01, 0x01] + signed[3...]
        #expect(fault(list([0x30, UInt8(count + 1)] + version + rest)) == .notCanonical)
    }

    @Test("whatever a list leaves out or does not say is refused by name")
    func profile() throws {
        let issuer = try Issuer()
        #expect(fault(try issuer.list { $0.nextUpdate = nil }) == .noNextUpdate)
        #expect(fault(try issuer.list { $0.nextUpdate = Self.start - 1 }) == .dates)
        let number = CertificateTemplate.Extension(oid: "2.5.29.20", value: [2, 1, 1])
        #expect(fault(try issuer.list { $0.extensions = [number] }) == nil)
        #expect(
            fault(try issuer.list { $0.extensions = [number, number] })
                == .repeatedExtension(oid: "2.5.29.20"))
        let delta = CertificateTemplate.Extension(
            oid: "2.5.29.27", value: [2, 1, 1], isCritical: true)
        #expect(
            fault(try issuer.list { $0.extensions = [delta] }) == .partial(oid: "2.5.29.27"))
        let unknown = CertificateTemplate.Extension(
            oid: "1.2.3.4", value: [5, 0], isCritical: true)
        #expect(
            fault(try issuer.list { $0.extensions = [unknown] })
                == .criticalExtension(oid: "1.2.3.4"))
        var harmless = unknown
        harmless.isCritical = false
        #expect(fault(try issuer.list { $0.extensions = [harmless] }) == nil)
    }

    @Test("a distribution point is taken only if the list is whole")
    func distributionPoints() throws {
        let issuer = try Issuer()
        // onlyContainsUserCerts, onlyContainsCACerts, onlySomeReasons, indirectCRL, attributes
        for (tag, value) in [
            (0x81, [0xff]), (0x82, [0xff]), (0x83, [1, 2]), (0x84, [0xff]), (0x85, [0xff]),
        ] as [(UInt8, [UInt8])] {
            let content = [0x30, UInt8(value.count + 2), tag, UInt8(value.count)] + value
            let item = CertificateTemplate.Extension(
                oid: "2.5.29.28", value: content, isCritical: true)
            #expect(
                fault(try issuer.list { $0.extensions = [item] }) == .partial(oid: "2.5.29.28"),
                "tag \(tag)")
        }
        // distributionPoint, fullName, URI "a"
        let whole = CertificateTemplate.Extension(
            oid: "2.5.29.28", value: [0x30, 7, 0xa0, 5, 0xa0, 3, 0x86, 1, 0x61], isCritical: true)
        #expect(fault(try issuer.list { $0.extensions = [whole] }) == nil)
        let broken = CertificateTemplate.Extension(oid: "2.5.29.28", value: [4, 0])
        #expect(fault(try issuer.list { $0.extensions = [broken] }) != nil)
    }

    @Test("extensions of entries are held to the same")
    func entries() throws {
        let issuer = try Issuer()
        func fault(_ extensions: [CertificateTemplate.Extension])
            throws -> X509Error.RevocationListFault?
        {
            self.fault(try issuer.list { $0.entries[0].extensions = extensions })
        }
        let reason = CertificateTemplate.Extension(oid: "2.5.29.21", value: [10, 1, 1])
        #expect(try fault([reason]) == nil)
        #expect(try fault([reason, reason]) == .repeatedExtension(oid: "2.5.29.21"))
        // certificateIssuer: directoryName, empty
        let other = CertificateTemplate.Extension(
            oid: "2.5.29.29", value: [0x30, 4, 0xa4, 2, 0x30, 0], isCritical: true)
        #expect(try fault([other]) == .partial(oid: "2.5.29.29"))
        let unknown = CertificateTemplate.Extension(
            oid: "1.2.3.4", value: [5, 0], isCritical: true)
        #expect(try fault([unknown]) == .criticalExtension(oid: "1.2.3.4"))
    }

    @Test("finds serials in a list of many thousands")
    func many() throws {
        let issuer = try Issuer()
        let der = try issuer.list { template in
            template.entries = (0..<20_000).map { number in
                // Unsorted on purpose.
                let scattered = number * 7919 % 20_000
                return .init(
                    serial: [0x40, UInt8(scattered >> 8), UInt8(scattered & 0xff)],
                    date: Self.start)
            }
        }
        let list = try X509CRL(der: der)
        #expect(list.count == 20_000)
        #expect(list.isSigned(by: issuer.certificate))
        let revoked = try issuer.subject([0x40, 0x4e, 0x1f])
        let other = try issuer.subject([0x40, 0x4e, 0x20])
        #expect(list.revokes(revoked))
        #expect(!list.revokes(other))
        // Looking up sorts the entries, and must not change what is signed.
        #expect(list.isSigned(by: issuer.certificate))
    }

    @Test("a chain has at most eight certificates, counted before they are read")
    func chains() throws {
        let certificate = try Issuer().certificate
        let pem = certificate.pem
        func chain(_ count: Int) -> [UInt8] { (0..<count).flatMap { _ in pem } }
        #expect(try X509Certificate.certificates(pem: chain(8)).count == 8)
        for count in [9, 50] {
            #expect(throws: X509Error.certificateCount(expected: "1 to 8", actual: count)) {
                _ = try X509Certificate.certificates(pem: chain(count))
            }
        }
        #expect(throws: X509Error.length(actual: 100 << 20, maximum: 512 << 10)) {
            _ = try X509Certificate.certificates(pem: [UInt8](repeating: 0x2d, count: 100 << 20))
        }
        #expect(throws: X509Error.pemInsteadOfDER) { _ = try X509Certificate(der: pem) }
        #expect(try X509Certificate(derOrPEM: pem).der == certificate.der)
        #expect(try X509Certificate(derOrPEM: certificate.der).der == certificate.der)
    }
}
