public import Bytes

/// All that Intel publishes about a platform, as bytes; read and believed by the verifier only.
public struct TDXCollateral: Sendable, Equatable {
    /// The largest file with all parts, in bytes.
    public static let maximumByteCount = 4 << 20
    /// The largest PEM text of a chain, in bytes.
    public static let maximumChain = 64 << 10
    static let documentLimits = JSONReader.Limits(
        byteCount: 256 << 10, depth: 8, values: 32 << 10)

    /// `tcbInfo` with its signature.
    public var tcbInfo: SignedJSON
    /// PEM: who signed it, then the root.
    public var tcbInfoIssuerChain: [UInt8]
    /// `enclaveIdentity` with its signature.
    public var qeIdentity: SignedJSON
    /// PEM: who signed it, then the root.
    public var qeIdentityIssuerChain: [UInt8]
    /// DER: the PCK certificates that their CA took back.
    public var pckCRL: [UInt8]
    /// PEM: who signed it, then the root.
    public var pckCRLIssuerChain: [UInt8]
    /// DER: the CA certificates that the root took back.
    public var rootCACRL: [UInt8]

    /// Takes everything as given.
    public init(
        tcbInfo: SignedJSON, tcbInfoIssuerChain: [UInt8], qeIdentity: SignedJSON,
        qeIdentityIssuerChain: [UInt8], pckCRL: [UInt8], pckCRLIssuerChain: [UInt8],
        rootCACRL: [UInt8]
    ) {
        self.tcbInfo = tcbInfo
        self.tcbInfoIssuerChain = tcbInfoIssuerChain
        self.qeIdentity = qeIdentity
        self.qeIdentityIssuerChain = qeIdentityIssuerChain
        self.pckCRL = pckCRL
        self.pckCRLIssuerChain = pckCRLIssuerChain
        self.rootCACRL = rootCACRL
    }

    /// Takes the bodies of Intel's service as they came (`/tdx/certification/v4/tcb`, `/qe/identity`,
    /// `/sgx/certification/v4/pckcrl`) with the chains from their headers, percent decoded.
    public init(
        tcbInfoResponse: [UInt8], tcbInfoIssuerChain: [UInt8], qeIdentityResponse: [UInt8],
        qeIdentityIssuerChain: [UInt8], pckCRL: [UInt8], pckCRLIssuerChain: [UInt8],
        rootCACRL: [UInt8]
    ) throws(ParseError) {
        self.init(
            tcbInfo: try SignedJSON(answer: tcbInfoResponse, member: "tcbInfo"),
            tcbInfoIssuerChain: tcbInfoIssuerChain,
            qeIdentity: try SignedJSON(answer: qeIdentityResponse, member: "enclaveIdentity"),
            qeIdentityIssuerChain: qeIdentityIssuerChain, pckCRL: pckCRL,
            pckCRLIssuerChain: pckCRLIssuerChain, rootCACRL: rootCACRL)
    }

    /// Reads the form in which libraries for quotes keep collateral in one file: an object of strings,
    /// documents as their exact texts, signatures and lists in hexadecimal digits, chains in PEM.
    public init(json: [UInt8]) throws(ParseError) {
        let fields = try JSONFields(
            parsing: json, name: "collateral",
            limits: JSONReader.Limits(byteCount: Self.maximumByteCount, depth: 2, values: 32))
        let names: Set = [
            "tcb_info", "tcb_info_signature", "tcb_info_issuer_chain", "qe_identity",
            "qe_identity_signature", "qe_identity_issuer_chain", "pck_crl",
            "pck_crl_issuer_chain", "root_ca_crl",
        ]
        if let unknown = fields.names.first(where: { !names.contains($0) }) {
            throw .invalid(
                field: "collateral",
                rule:
                    "has a member of \(unknown.utf8.count) bytes that is none of \(names.sorted())")
        }
        func text(_ name: String) throws(ParseError) -> [UInt8] {
            Array(try fields.string(name).utf8)
        }
        self.init(
            tcbInfo: SignedJSON(
                text: try text("tcb_info"), signature: try fields.bytes("tcb_info_signature")),
            tcbInfoIssuerChain: try text("tcb_info_issuer_chain"),
            qeIdentity: SignedJSON(
                text: try text("qe_identity"),
                signature: try fields.bytes("qe_identity_signature")),
            qeIdentityIssuerChain: try text("qe_identity_issuer_chain"),
            pckCRL: try fields.bytes("pck_crl"),
            pckCRLIssuerChain: try text("pck_crl_issuer_chain"),
            rootCACRL: try fields.bytes("root_ca_crl"))
    }

    /// The form that ``init(json:)`` reads, with members in a fixed order.
    public var json: [UInt8] {
        func quoted(_ text: some Sequence<UInt8>) -> String {
            var result = "\""
            for scalar in String(decoding: Array(text), as: UTF8.self).unicodeScalars {
                switch scalar {
                case "\"": result += "\\\""
                case "\\": result += "\\\\"
                case "\n": result += "\\n"
                case "\r": result += "\\r"
                case "\t": result += "\\t"
                case _ where scalar.value < 0x20:
                    result += "\\u00" + Hex.encode([UInt8(scalar.value)])
                default: result.unicodeScalars.append(scalar)
                }
            }
            return result + "\""
        }
        let members: [(name: String, text: String)] = [
            ("tcb_info_issuer_chain", quoted(tcbInfoIssuerChain)),
            ("tcb_info", quoted(tcbInfo.text)),
            ("tcb_info_signature", "\"\(Hex.encode(tcbInfo.signature))\""),
            ("qe_identity_issuer_chain", quoted(qeIdentityIssuerChain)),
            ("qe_identity", quoted(qeIdentity.text)),
            ("qe_identity_signature", "\"\(Hex.encode(qeIdentity.signature))\""),
            ("pck_crl_issuer_chain", quoted(pckCRLIssuerChain)),
            ("pck_crl", "\"\(Hex.encode(pckCRL))\""),
            ("root_ca_crl", "\"\(Hex.encode(rootCACRL))\""),
        ]
        let body = members.map { "\"\($0.name)\":\($0.text)" }.joined(separator: ",")
        return Array("{\(body)}\n".utf8)
    }
}
