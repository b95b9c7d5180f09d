import Bytes
import OpenSSL
import Policy
import Verification

/// Runs cases, each by the code that a launch goes through.
struct CaseBench {
    let folder: VectorFolder

    func verdict(_ entry: VectorEntry, _ one: VectorCase) -> Verdict {
        do throws(VectorFault) {
            return try judge(entry, one)
        } catch {
            return .error("\(error)")
        }
    }

    private func judge(_ entry: VectorEntry, _ one: VectorCase) throws(VectorFault) -> Verdict {
        let files = CaseFiles(folder: folder, entry: entry, one: one)
        switch entry.kind {
        case "snp-report-v2", "snp-report-v3", "snp-report-v5":
            return try SNPCases(files: files).report()
        case "snp-vcek-certificate": return try SNPCases(files: files).certificate()
        case "tpm-quote": return try TPMCases(files: files).quote()
        case "tpm-ak-certificate": return try TPMCases(files: files).certificate()
        case "tcg-event-log", "ccel": return try EventLogCases(files: files).log()
        case "tdx-quote-v4", "tdx-quote-v5", "sgx-quote-v3", "tdreport":
            return try TDXCases(files: files).quote()
        case "azure-hcl-snp", "azure-hcl-tdx": return try AzureCases(files: files).verdict()
        case "ima-log-ascii", "ima-log-binary": return try IMACases(files: files).log()
        case "ima-runtime-policy": return try IMACases(files: files).runtimePolicy()
        case "snp+tpm+ima": return try BoundCases(files: files).verdict()
        case "snp-launch-measurement": return try MeasurementCases(files: files).verdict()
        default: return .error("kind \(entry.kind): unknown")
        }
    }
}

/// What a case may read.
struct CaseFiles {
    let folder: VectorFolder
    let entry: VectorEntry
    let one: VectorCase

    /// The content of the file with this role.
    func required(_ role: String) throws(VectorFault) -> [UInt8] {
        guard let content = try optional(role) else {
            throw VectorFault("files: none with role \(role)")
        }
        return content
    }

    func optional(_ role: String) throws(VectorFault) -> [UInt8]? {
        guard let path = entry.path(role: role) else { return nil }
        return try folder.read(path)
    }

    /// The file that an input or policy names.
    func named(_ name: String) throws(VectorFault) -> [UInt8] {
        guard let path = entry.path(named: name) else {
            throw VectorFault("files: none is called \(name)")
        }
        return try folder.read(path)
    }

    /// The only root that counts: one that the case names, else nil for the vendors' own.
    func givenAnchor() throws(VectorFault) -> X509Certificate? {
        guard let name = (one.policy["trust_anchor"] ?? one.inputs["trust_anchor"])?.string else {
            return nil
        }
        let bytes = try named(name)
        do throws(X509Error) {
            return try X509Certificate(derOrPEM: bytes)
        } catch {
            throw VectorFault("\(name): \(error)")
        }
    }
}
