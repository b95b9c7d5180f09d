import Bytes
import Evidence

/// What TDX machines send and what Intel publishes about them.
enum TDXTarget {
    /// Quotes: what is accepted keeps its bytes, with zeros behind it and nothing else.
    static func quote(_ input: [UInt8]) {
        let tee = TDXQuote.claimedTEE(input)
        let loose = try? TDXQuote(parsing: input, trailer: .anything)
        guard let quote = try? TDXQuote(parsing: input) else { return }
        precondition(tee == .tdx, "a quote of something else")
        precondition(loose == quote, "another quote where anything may follow")
        precondition(input.starts(with: quote.signedBytes), "other bytes than those that came")
        precondition(quote.qeReport.bytes.count == SGXReport.byteCount, "no whole report")
        precondition(
            (try? TDReportBody(parsing: Array(quote.signedBytes.suffix(bodySize(quote)))))
                == quote.body, "another body in the signed bytes")
    }

    private static func bodySize(_ quote: TDXQuote) -> Int {
        quote.body.teeTCBSVN2 == nil ? TDReportBody.byteCount : TDReportBody.byteCount15
    }

    /// Reports for the own machine.
    static func report(_ input: [UInt8]) {
        guard let report = try? TDReport(parsing: input) else { return }
        precondition(report.agrees(with: report.body), "a report does not agree with itself")
        _ = report.hashesHold(WeakHashing())
    }

    /// TCB info, identities, and the answers that they come in: the signed text is the member's own.
    static func documents(_ input: [UInt8]) {
        _ = try? TCBInfo(parsing: input)
        _ = try? QEIdentity(parsing: input)
        for member in ["tcbInfo", "enclaveIdentity"] {
            guard let signed = try? SignedJSON(answer: input, member: member) else { continue }
            let limits = JSONReader.Limits(byteCount: input.count)
            let whole = try? JSONReader.parse(input, limits: limits)
            let text = try? JSONReader.parse(signed.text, limits: limits)
            precondition(text != nil && whole?[member] == text, "another text than the member's")
        }
    }

    /// Collateral in one file: what is accepted survives its own text.
    static func collateral(_ input: [UInt8]) {
        guard let collateral = try? TDXCollateral(json: input) else { return }
        precondition(
            (try? TDXCollateral(json: collateral.json)) == collateral,
            "collateral changes in its own text")
    }

    /// The extension of PCK certificates, and any nesting of DER that its reader follows.
    static func pckExtension(_ input: [UInt8]) {
        if let platform = try? PCKExtension(parsing: input) {
            precondition(platform.components.count == 16, "not 16 components")
        }
        var reader = DERReader(input)
        while !reader.isAtEnd {
            var copy = reader
            _ = try? copy.boolean("fuzz")
            copy = reader
            _ = try? copy.unsigned("fuzz", as: UInt64.self)
            copy = reader
            if (try? copy.bytes(.objectIdentifier, "fuzz")) != nil {
                reader = copy
                continue
            }
            guard let inner = try? reader.element(.sequence, "fuzz") else { return }
            reader = inner
        }
    }

    static var documentSeeds: [[UInt8]] {
        let level =
            #"{"tcb":{"isvsvn":4},"tcbDate":"2024-03-13T00:00:00Z","tcbStatus":"UpToDate"}"#
        let identity =
            #"{"id":"TD_QE","version":2,"issueDate":"2026-11-01T00:00:00Z","#
            + #""nextUpdate":"2026-12-01T00:00:00Z","tcbEvaluationDataNumber":18,"#
            + #""miscselect":"00000000","miscselectMask":"FFFFFFFF","#
            + #""attributes":"11000000000000000000000000000000","#
            + #""attributesMask":"fbffffffffffffff0000000000000000","#
            + "\"mrsigner\":\"\(String(repeating: "dc", count: 32))\",\"isvprodid\":2,"
            + "\"tcbLevels\":[\(level)]}"
        let components = Array(repeating: #"{"svn":3}"#, count: 16).joined(separator: ",")
        let info =
            #"{"id":"TDX","version":3,"tcbType":0,"issueDate":"2026-11-01T00:00:00Z","#
            + #""nextUpdate":"2026-12-01T00:00:00Z","fmspc":"90c06f000000","pceId":"0000","#
            + "\"tcbEvaluationDataNumber\":18,\"tdxModule\":\(module("")),"
            + "\"tdxModuleIdentities\":[\(module(#""id":"TDX_03","tcbLevels":[\#(level)],"#))],"
            + "\"tcbLevels\":[{\"tcb\":{\"sgxtcbcomponents\":[\(components)],\"pcesvn\":11,"
            + "\"tdxtcbcomponents\":[\(components)]},\"tcbDate\":\"2024-03-13T00:00:00Z\","
            + #""tcbStatus":"OutOfDate","advisoryIDs":["INTEL-SA-00001"]}]}"#
        let answers = [("tcbInfo", info), ("enclaveIdentity", identity)].map {
            "{\"\($0)\":\($1),\"signature\":\"00ff\"}"
        }
        return ([info, identity] + answers).map { Array($0.utf8) }
    }

    private static func module(_ more: String) -> String {
        "{\(more)\"mrsigner\":\"\(String(repeating: "00", count: 48))\","
            + #""attributes":"0000000000000000","attributesMask":"ffffffffffffffff"}"#
    }

    static var collateralSeeds: [[UInt8]] {
        let documents = documentSeeds
        let pem = Array("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n".utf8)
        let collateral = TDXCollateral(
            tcbInfo: SignedJSON(text: documents[0], signature: [1]), tcbInfoIssuerChain: pem,
            qeIdentity: SignedJSON(text: documents[1], signature: [2]), qeIdentityIssuerChain: pem,
            pckCRL: [0x30, 0], pckCRLIssuerChain: pem, rootCACRL: [0x30, 0])
        return [collateral.json]
    }
}
