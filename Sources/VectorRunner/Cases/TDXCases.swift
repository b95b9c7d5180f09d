import Bytes
import Evidence
import OpenSSL
import Policy
import Verification

/// TDX quotes, and what is taken for them.
struct TDXCases {
    let files: CaseFiles

    /// A quote with what Intel publishes about its platform, and maybe the log of its boot.
    func quote() throws(VectorFault) -> Verdict {
        try files.one.require(onlyPolicy: [
            "allow_debug", "collateral", "mr_td", "accepted_tcb_statuses", "trust_anchor",
            "strict_trailer",
            "note",
        ])
        let bytes = try quoteBytes()
        let reportData = try files.one.bytes("report_data")
        let expected = reportData.flatMap { FixedBytes<64>($0) }
        if let reportData, expected == nil {
            throw VectorFault("inputs.report_data: expected 64 bytes, got \(reportData.count)")
        }
        let result = TDXVerifier(anchors: try anchors()).verify(
            // Files from test suites end in anything; a launch has the strict default.
            quoteBytes: bytes,
            trailer: files.one.flag("strict_trailer") ? .zeroBytes : .anything,
            collateral: try collateral(),
            expected: expected, bindingIsOptional: expected == nil, at: time(bytes))
        let verdict = Verdict(result.findings)
        guard verdict == .accept, let claims = Claims(tdx: result, tpm: nil, log: nil) else {
            return verdict
        }
        if let name = files.one.inputs["event_log"]?.string, let tdx = result.claims {
            return try replay(try files.named(name), RegisterValues(rtmr: tdx.body.rtmr))
        }
        return Verdict(result.findings + (try rules().findings(of: claims)))
    }

    /// The roots that count.
    func anchors() throws(VectorFault) -> [TrustAnchor] {
        try files.givenAnchor().map {
            [
                TrustAnchor(
                    name: "given", family: .tdx, keyDigest: $0.subjectPublicKeyInfoDigest)
            ]
        } ?? TrustAnchor.intel
    }

    /// Intel's documents about the platform; nil where the case wants signatures only.
    func collateral() throws(VectorFault) -> TDXCollateral? {
        guard files.one.policy["collateral"]?.string != "none" else { return nil }
        let whole = try files.optional("tdx-collateral")
        let parts = try parts()
        do throws(ParseError) {
            if let whole { return try TDXCollateral(json: whole) }
            guard let parts else { return nil }
            return try TDXCollateral(
                tcbInfoResponse: parts.tcbInfo, tcbInfoIssuerChain: parts.tcbIssuers,
                qeIdentityResponse: parts.identity, qeIdentityIssuerChain: parts.tcbIssuers,
                pckCRL: parts.pckCRL, pckCRLIssuerChain: parts.pckIssuers, rootCACRL: parts.rootCRL)
        } catch {
            throw VectorFault("tdx-collateral: \(error)")
        }
    }

    private struct Parts {
        let tcbInfo, identity, tcbIssuers, pckCRL, pckIssuers, rootCRL: [UInt8]
    }

    /// The documents where they lie in files of their own.
    private func parts() throws(VectorFault) -> Parts? {
        guard let tcbInfo = try files.optional("tcb-info"),
            let identity = try files.optional("qe-identity"),
            let tcbIssuers = try files.optional("tcb-issuer-chain"),
            let pckCRL = try files.optional("pck-crl"),
            let pckIssuers = try files.optional("pck-issuer-chain"),
            let rootCRL = try files.optional("root-crl")
        else { return nil }
        return Parts(
            tcbInfo: tcbInfo, identity: identity, tcbIssuers: tcbIssuers, pckCRL: pckCRL,
            pckIssuers: pckIssuers, rootCRL: rootCRL)
    }

    private func quoteBytes() throws(VectorFault) -> [UInt8] {
        for role in ["tdx-quote", "sgx-quote"] {
            if let bytes = try files.optional(role) { return bytes }
        }
        return try files.required("tdreport")
    }

    /// Where no time matters: the middle of the platform certificate's life.
    private func time(_ quote: [UInt8]) -> Int64 {
        if let time = files.one.time { return time }
        guard let read = try? TDXQuote(parsing: quote, trailer: .anything),
            let leaf = (try? X509Certificate.certificates(pem: read.pckChain))?.first
        else { return 0 }
        return (leaf.notBefore + leaf.notAfter) / 2
    }

    private func replay(
        _ log: [UInt8], _ registers: RegisterValues
    ) throws(VectorFault) -> Verdict {
        let cases = EventLogCases(files: files)
        let isList = log.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "[")
        guard isList else {
            return cases.verdict(log, from: .confidentialComputing, registers: registers)
        }
        do throws(ParseError) {
            return cases.verdict(
                try EventLog(runtimeMeasurements: log), registers: registers)
        } catch {
            return .reject(reason: "malformed", detail: "event log: \(error)")
        }
    }

    private func rules() throws(VectorFault) -> CasePolicy {
        var policy = CasePolicy(checks: [.debug])
        policy.rules.allowsDebug = files.one.flag("allow_debug")
        if files.one.policy["collateral"]?.string != "none" {
            policy.checks.insert(.tcbStatus)
            if let names = files.one.policy["accepted_tcb_statuses"]?.array {
                policy.rules.tdx.statuses = [:]
                for name in names {
                    guard let status = name.string.flatMap(TCBStatus.init(rawValue:)) else {
                        throw VectorFault("policy.accepted_tcb_statuses: no such status")
                    }
                    policy.rules.tdx.statuses[status] = .always
                }
            }
        }
        if let mrTD: FixedBytes<48> = try files.one.pinned("mr_td") {
            policy.rules.measurements = [
                ReferenceMeasurement(
                    label: "given", registers: .td(mrTD: mrTD, rtmr: [:]), covers: [.firmware])
            ]
            // A case pins MRTD alone, and says by that nothing of what boots.
            policy.rules.boot.images = [[UInt8](repeating: 0, count: 32)]
            policy.rules.boot.covers = Set(Coverage.allCases)
            policy.checks.insert(.measurement)
        }
        return policy
    }
}
