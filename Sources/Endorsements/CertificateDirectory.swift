import Bytes
public import Evidence
import Linux

/// Certificates that an owner put into a folder, for hosts that hand out none or not all of them.
///
/// Each file holds one certificate in DER or PEM and is at most 64 KiB:
/// ```
/// vcek/<hwID in lower-case hex>/bl04_tee00_snp24_ucode219.der     Turin: …_fmc01.der
/// vlek/<product>/bl04_tee00_snp24_ucode219.der
/// <product>/ask.der   <product>/asvk.der   <product>/ark.der      product: Milan, Genoa, Turin
/// ```
/// `.pem` in place of `.der` is looked for as well, and so is Trustee's `_vcek.der`. Numbers are
/// decimal with at least two digits. Nothing that is found is believed: a verifier checks it like a
/// certificate from a host.
public struct CertificateDirectory: Sendable {
    /// What came of a search.
    public enum Completion: Sendable, Equatable {
        /// All there is to be had; enough for a verifier, unless the report is signed by no key.
        case complete(SNPCertificates)
        /// The first certificate that neither the host nor the folder has: which, where it was
        /// looked for, and for which chip and firmware.
        case missing(name: String)
    }

    /// The largest file that is read, in bytes.
    public static let fileLimit = 64 << 10

    private let directory: ConfinedDirectory

    /// Names the folder. It is looked into at each search, so what is added counts at once.
    public init(_ path: String) {
        directory = ConfinedDirectory(path)
    }

    /// Fills what `table` lacks for `report`; what the host gave is never replaced.
    public func complete(table: SNPCertificates, for report: SNPReport) -> Completion {
        guard report.signingKey != .none else { return .complete(table) }
        var certificates = table
        do throws(Missing) {
            if certificates.endorsementKey == nil {
                certificates.endorsementKey = try endorsementKey(for: report)
            }
            guard certificates.intermediate == nil || certificates.root == nil else {
                return .complete(certificates)
            }
            let product = try issuingProduct(of: report, certificates.endorsementKey ?? [])
            if certificates.intermediate == nil {
                let name = report.signingKey == .vlek ? "asvk" : "ask"
                certificates.intermediate = try find(
                    name.uppercased(), [product.rawValue], [name], "for \(product.rawValue)")
            }
            if certificates.root == nil {
                certificates.root = try find(
                    "ARK", [product.rawValue], ["ark"], "for \(product.rawValue)")
            }
            return .complete(certificates)
        } catch {
            return .missing(name: error.name)
        }
    }

    private struct Missing: Error {
        let name: String
    }

    private func endorsementKey(for report: SNPReport) throws(Missing) -> [UInt8] {
        // A report without CPUID is of an older line; those have one layout.
        let product = report.product ?? .milan
        let tcb = TCBVersion(raw: report.reportedTCB, product: product)
        let file = Self.fileName(tcb)
        if report.signingKey == .vlek {
            let subject = "for \(product.rawValue) with \(tcb)"
            return try find("VLEK", ["vlek", product.rawValue], [file], subject)
        }
        let chip = Hex.encode(report.chipID.bytes.prefix(product == .turin ? 8 : 64))
        guard !report.chipID.isZero else {
            throw Missing(name: "VCEK: CHIP_ID is hidden by the host, so none can be looked for")
        }
        return try find(
            "VCEK", ["vcek", chip], [file, file + "_vcek"], "for chip \(chip) with \(tcb)")
    }

    /// `bl04_tee00_snp24_ucode219`, and `_fmc01` where the product has one.
    private static func fileName(_ tcb: TCBVersion) -> String {
        let names: [(TCBComponent, String)] = [
            (.bootloader, "bl"), (.tee, "tee"), (.snp, "snp"), (.microcode, "ucode"),
            (.fmc, "fmc"),
        ]
        return names.compactMap { component, name in
            tcb[component].map { $0 < 10 ? "\(name)0\($0)" : "\(name)\($0)" }
        }
        .joined(separator: "_")
    }

    /// The line whose issuers are wanted: by CPUID, or by the issuer's name in the leaf.
    ///
    /// The name is looked for as bytes. It only chooses which file is tried; a verifier compares the
    /// names properly.
    private func issuingProduct(
        of report: SNPReport, _ leaf: [UInt8]
    ) throws(Missing) -> SNPProduct {
        if let product = report.product { return product }
        let prefix = report.signingKey == .vlek ? "SEV-VLEK-" : "SEV-"
        for product in SNPProduct.allCases
        where leaf.contains(Array((prefix + product.rawValue).utf8)) {
            return product
        }
        throw Missing(
            name: "ASK and ARK: neither the report nor its certificate names a processor line")
    }

    private func find(
        _ kind: String, _ folders: [String], _ names: [String], _ subject: String
    ) throws(Missing) -> [UInt8] {
        let files = names.flatMap { ["\($0).der", "\($0).pem"] }
        for file in files {
            let data: [UInt8]
            do throws(SystemError) {
                data = try directory.read(folders + [file], atMost: Self.fileLimit)
            } catch  where error.isNotFound {
                continue
            } catch {
                throw Missing(name: "\(kind) \(subject): \(error)")
            }
            guard let certificate = PEM.certificate(data) else {
                let path = ([directory.path] + folders + [file]).joined(separator: "/")
                throw Missing(name: "\(kind) \(subject): \(path) is no certificate in DER or PEM")
            }
            return certificate
        }
        let path = ([directory.path] + folders + [files[0]]).joined(separator: "/")
        throw Missing(name: "\(kind) \(subject): no \(path)")
    }
}
