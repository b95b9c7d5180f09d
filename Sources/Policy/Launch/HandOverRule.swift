import Bytes
import Evidence

extension Appraisal {
    /// Where no REPORT_ID tells one launch from the next, the agent extends a register before it hands
    /// over, so that evidence made afterwards says so.
    func handOver() -> Finding {
        var expected: [String] = []
        var actual: [String] = []
        var holds = true
        if let tdx = claims.tdx {
            let register = tdx.body.rtmr[3]
            expected.append("RTMR3 zero")
            actual.append("RTMR3 \(register.isZero ? "zero" : register.hex)")
            holds = register.isZero
        }
        if let tpm = claims.tpm {
            let index = TPMAppraisal.handOverRegister
            let values = HashAlgorithm.allCases.compactMap { tpm.pcrs[$0, index] }
            let isZero = !values.isEmpty && values.allSatisfy { $0.allSatisfy { $0 == 0 } }
            expected.append("PCR \(index) zero")
            actual.append(
                values.isEmpty
                    ? "PCR \(index) not quoted"
                    : "PCR \(index) \(isZero ? "zero" : values.map(Hex.encode).joined(separator: ", "))"
            )
            holds = holds && isZero
        }
        return Finding(
            .handOver, holds: holds && !expected.isEmpty,
            expected: expected.joined(separator: ", "), actual: actual.joined(separator: ", "))
    }
}
