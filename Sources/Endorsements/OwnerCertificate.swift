import Bytes
import Evidence
import Linux
import OpenSSL

/// A certificate that an owner puts into the folder by hand and no vendor publishes on its own.
struct OwnerCertificate: Hashable, Sendable {
    /// Where it lies below the directory.
    let path: [String]

    /// Reads a path; nil for a place that no such certificate has.
    init?(path: [String]) {
        guard let file = path.last, let end = [".der", ".pem"].first(where: file.hasSuffix) else {
            return nil
        }
        let stem = String(file.dropLast(end.count))
        switch path.count {
        case 2:
            guard SNPProduct(rawValue: path[0]) != nil, ["ask", "asvk", "ark"].contains(stem)
            else { return nil }
        case 3:
            guard path[0] == "vlek", let product = SNPProduct(rawValue: path[1]),
                TCBVersion(fileName: stem, product: product) != nil
            else { return nil }
        default: return nil
        }
        self.path = path
    }

    /// When the certificate begins to be good; nil where the bytes are no certificate.
    static func issued(_ bytes: [UInt8]) -> Int64? {
        guard bytes.count <= CertificateDirectory.fileLimit, let der = PEM.certificate(bytes)
        else { return nil }
        return (try? X509Certificate(der: der))?.notBefore
    }
}

extension EndorsementCache {
    /// Every certificate that an owner put there and that can be read.
    func certificates() -> [(place: OwnerCertificate, content: [UInt8])] {
        let folders = SNPProduct.allCases.flatMap { [[$0.rawValue], ["vlek", $0.rawValue]] }
        var found: [(place: OwnerCertificate, content: [UInt8])] = []
        for folder in folders {
            let names = (try? File.names(in: ([path] + folder).joined(separator: "/"))) ?? []
            for name in names {
                if let place = OwnerCertificate(path: folder + [name]),
                    let content = certificate(place)
                {
                    found.append((place, content))
                }
            }
        }
        return found
    }

    func certificate(_ place: OwnerCertificate) -> [UInt8]? {
        guard
            let content = try? directory.read(
                place.path, atMost: CertificateDirectory.fileLimit),
            OwnerCertificate.issued(content) != nil
        else { return nil }
        return content
    }
}
