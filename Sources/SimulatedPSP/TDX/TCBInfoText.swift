import Bytes
import OpenSSL

/// The two signed texts of Intel's provisioning service, version 4 of its interface.
struct TCBInfoText {
    let order: PCSCollateral.Order
    let platform: TDXPlatform

    /// `tcbInfo` of a TDX platform: levels by SGX and TDX components, and the TDX modules.
    var tcbInfo: String {
        let zeros = String(repeating: "0", count: 96)
        let svn = platform.teeTCBSVN.bytes
        let module: [(String, JSONText.Value)] = [
            ("mrsigner", .string(zeros)), ("attributes", "0000000000000000"),
            ("attributesMask", "FFFFFFFFFFFFFFFF"),
        ]
        let version = Hex.encode([svn[1]])
        let identity =
            [("id", JSONText.Value.string("TDX_\(version)"))] + module + [
                (
                    "tcbLevels",
                    .array([
                        level([("isvsvn", .number(Int(svn[0])))], order.moduleStatus),
                        level([("isvsvn", 0)], "OutOfDate"),
                    ])
                )
            ]
        return JSONText.object(
            [("id", "TDX"), ("version", 3)] + dates(order.days) + [
                ("fmspc", .string((order.fmspc ?? platform.fmspc).hex.uppercased())),
                ("pceId", "0000"), ("tcbType", 0),
                ("tcbEvaluationDataNumber", .number(order.evaluationNumber)),
                ("tdxModule", .object(module)),
                ("tdxModuleIdentities", .array([.object(identity)])),
                ("tcbLevels", .array(levels)),
            ])
    }

    /// `enclaveIdentity` of the TD quoting enclave.
    var quotingEnclaveIdentity: String {
        let signer = TDXPlatform.quotingSigner(hashing: OpenSSLHashing())
        let version = JSONText.Value.number(Int(platform.quotingEnclaveSVN))
        return JSONText.object(
            [("id", "TD_QE"), ("version", 2)] + dates(order.identityDays ?? order.days) + [
                ("tcbEvaluationDataNumber", .number(order.evaluationNumber)),
                ("miscselect", "00000000"), ("miscselectMask", "FFFFFFFF"),
                ("attributes", "11000000000000000000000000000000"),
                ("attributesMask", "FBFFFFFFFFFFFFFF0000000000000000"),
                ("mrsigner", .string(signer.hex.uppercased())), ("isvprodid", 2),
                (
                    "tcbLevels",
                    .array([
                        level([("isvsvn", version)], order.quotingEnclaveStatus),
                        level([("isvsvn", 0)], "OutOfDate"),
                    ])
                ),
            ])
    }

    /// The platform's own level, and one below it; or only one above it, which it does not reach.
    private var levels: [JSONText.Value] {
        let tdx = platform.teeTCBSVN.bytes
        guard let status = order.platformStatus else {
            return [
                level(components(platform.components, Int(platform.pceSVN) + 1, tdx), "UpToDate")
            ]
        }
        let own = components(platform.components, Int(platform.pceSVN), tdx)
        let lowest = [UInt8](repeating: 0, count: 16)
        return [level(own, status), level(components(lowest, 5, lowest), "OutOfDate")]
    }

    private func components(
        _ sgx: [UInt8], _ pceSVN: Int, _ tdx: [UInt8]
    ) -> [(String, JSONText.Value)] {
        func list(_ values: [UInt8]) -> JSONText.Value {
            .array(values.map { .object([("svn", .number(Int($0)))]) })
        }
        return [
            ("sgxtcbcomponents", list(sgx)), ("pcesvn", .number(pceSVN)),
            ("tdxtcbcomponents", list(tdx)),
        ]
    }

    private func level(_ tcb: [(String, JSONText.Value)], _ status: String) -> JSONText.Value {
        var members: [(String, JSONText.Value)] = [
            ("tcb", .object(tcb)), ("tcbDate", "2025-05-14T00:00:00Z"),
            ("tcbStatus", .string(status)),
        ]
        if status != "UpToDate", !order.advisories.isEmpty {
            members.append(("advisoryIDs", .array(order.advisories.map { .string($0) })))
        }
        return .object(members)
    }

    private func dates(_ days: Int64) -> [(String, JSONText.Value)] {
        [
            ("issueDate", .string(ISO8601.text(order.issued))),
            ("nextUpdate", .string(ISO8601.text(order.issued + days * 86400))),
        ]
    }
}
