import Bytes
import Evidence
import OpenSSL
import Policy
import Verification

/// A report, a TPM's quote and an IMA log of one machine.
struct BoundCases {
    let files: CaseFiles

    func verdict() throws(VectorFault) -> Verdict {
        try files.one.require(onlyPolicy: ["forbid_sha1_bank", "trust_anchor"])
        let snp = SNPCases(files: files)
        let report = try snp.verified(try files.required("report"), expected: nil)
        let reported = report.verdict()
        guard reported == .accept else { return reported }
        let tpm = TPMCases(files: files)
        let key = try tpm.key(of: try tpm.certificate(try files.required("ak-certificate")))
        let values = try tpm.values()
        let quoted = try tpm.quoted(key: key, values: values)
        guard quoted.verdict == .accept, let claims = quoted.result.claims else {
            return quoted.verdict
        }
        var registers: [HashAlgorithm: [UInt8]] = [:]
        for bank in HashAlgorithm.allCases { registers[bank] = claims.pcrs[bank, 10] }
        guard !registers.isEmpty else {
            return .reject(reason: "ima-pcr-mismatch", detail: "the quote is not about PCR 10")
        }
        let ima = IMACases(files: files)
        return ima.verdict(try ima.bytes(), IMAExpectations(quoted: registers))
    }
}
