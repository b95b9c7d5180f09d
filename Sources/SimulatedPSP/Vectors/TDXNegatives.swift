import Bytes
import OpenSSL

/// TDX evidence with one thing wrong in each entry.
struct TDXNegatives {
    let vectors: TDXVectors
    /// Paths of the good files.
    let root: String
    let collateral: String
    let quote: String

    func add(to set: inout VectorSet) throws {
        try addQuotes(to: &set)
        try addMachines(to: &set)
        try addCollateral(to: &set)
        try addStatuses(to: &set)
    }

    private func entry(
        _ what: String, quote: String, collateral: String, root: String, cases: [VectorCase]
    ) -> VectorEntry {
        VectorEntry(
            id: "tdx-neg-\(what)", kind: "tdx-quote-v4", tags: ["tdx", "body-584", "negative"],
            files: [(quote, "tdx-quote"), (collateral, "tdx-collateral"), (root, "trust-anchor")],
            cases: cases.map { one in
                var one = one
                one.time = one.time ?? vectors.now
                one.policy.append(TDXVectors.anchor)
                return one
            })
    }

    private func addQuotes(to set: inout VectorSet) throws {
        let good = set.bytes(quote) ?? []
        let only = [TDXVectors.signaturesOnly]
        var all: [(what: String, quote: [UInt8], reason: String)] = [
            ("short", Array(good.dropLast(2)), "malformed"),
            ("long", good + [0, 1], "malformed"),
            ("version", [6] + good.dropFirst(), "malformed"),
            ("tee-type", Array(good[..<4]) + [0] + good[5...], "wrong-tee-type"),
        ]
        for (what, fault, reason) in [
            ("signature", Fault.badSignature, "bad-signature"),
            ("qe-signature", .badEnclaveSignature, "qe-report-signature-bad"),
            ("key", .unboundKey, "attestation-key-not-bound"),
            ("debug", .debug, "debug-enabled"),
        ] {
            all.append(
                (what, try vectors.guest(faults: [fault]).quote(vectors.reportData), reason))
        }
        for one in all {
            // Files of test suites may end in anything; only this case asks for what a launch has.
            let policy = only + (one.what == "long" ? [("strict_trailer", .boolean(true))] : [])
            var cases = [VectorCase(name: "signatures-only", reason: one.reason, policy: policy)]
            if one.what == "debug" {
                cases.append(
                    VectorCase(
                        name: "debug-allowed", policy: only + [("allow_debug", .boolean(true))]))
            }
            set.add(
                entry(
                    one.what, quote: set.file("tdx/neg-\(one.what).bin", one.quote),
                    collateral: collateral, root: root, cases: cases))
        }
        // Only zero bytes may follow a quote.
        set.add(
            entry(
                "padded", quote: set.file("tdx/padded.bin", good + [0, 0, 0]),
                collateral: collateral, root: root,
                cases: [VectorCase(name: "zeros-behind", policy: only)]))
    }

    /// Quotes whose PCK chain is not what it should be.
    private func addMachines(to set: inout VectorSet) throws {
        let machine = vectors.machine
        let only = [TDXVectors.signaturesOnly]
        let stranger = try TDXMachine(
            machine.platform, under: try TDXAuthority(now: vectors.now), now: vectors.now)
        let foreign = TDXMachine(
            platform: machine.platform, authority: machine.authority, keys: stranger.keys,
            pck: stranger.pck, made: vectors.now)
        for (what, other, reason) in [
            ("root", stranger, "untrusted-root"), ("pck", foreign, "chain-broken"),
        ] {
            let quote = try vectors.guest(on: other).quote(vectors.reportData)
            set.add(
                entry(
                    what, quote: set.file("tdx/neg-\(what).bin", quote), collateral: collateral,
                    root: root,
                    cases: [VectorCase(name: "signatures-only", reason: reason, policy: only)]))
        }
    }

    /// A good quote with collateral that does not go with it.
    private func addCollateral(to set: inout VectorSet) throws {
        let byFault: [(what: String, fault: Fault, reason: String)] = [
            ("tcb-not-supported", .unsupportedTCB, "tcb-not-supported"),
            ("fmspc", .wrongFMSPC, "tcb-not-supported"),
            ("revoked-pck", .revokedKey, "cert-revoked"),
            ("revoked-ca", .revokedIntermediate, "cert-revoked"),
            ("old-lists", .expiredList, "collateral-expired"),
            ("old-identity", .expiredIdentity, "collateral-expired"),
        ]
        for one in byFault {
            add(one.what, try vectors.collateral([one.fault]), reason: one.reason, to: &set)
        }
        let changed: [(what: String, change: (inout PCSCollateral) -> Void)] = [
            (
                "tcb-info",
                { $0.tcbInfo = $0.tcbInfo.replacing("\"version\":3", with: "\"version\": 3") }
            ),
            ("tcb-info-signature", { $0.tcbInfoSignature[63] ^= 1 }),
            ("identity-signature", { $0.quotingEnclaveIdentitySignature[63] ^= 1 }),
            ("pck-list", { $0.pckCRL[$0.pckCRL.count - 1] ^= 1 }),
            ("root-list", { $0.rootCRL[$0.rootCRL.count - 1] ^= 1 }),
            ("lists-swapped", { swap(&$0.pckCRL, &$0.rootCRL) }),
        ]
        for one in changed {
            add(
                one.what, try vectors.collateral([], one.change), reason: "bad-signature", to: &set)
        }
    }

    private func add(
        _ what: String, _ bytes: [UInt8], reason: String, more: [VectorCase] = [],
        to set: inout VectorSet
    ) {
        set.add(
            entry(
                what, quote: quote,
                collateral: set.file("tdx/collateral-\(what).json", bytes), root: root,
                cases: [VectorCase(name: "with-collateral", reason: reason)] + more))
    }

    /// Each status of each part that is rated.
    private func addStatuses(to set: inout VectorSet) throws {
        for status in Fault.statuses where status != "UpToDate" {
            let accepted = VectorCase(
                name: "status-accepted",
                policy: [
                    ("accepted_tcb_statuses", .array([.string("UpToDate"), .string(status)]))
                ])
            add(
                "platform-\(status)", try vectors.collateral([.platformStatus(status)]),
                reason: "tcb-out-of-date", more: status == "Revoked" ? [] : [accepted], to: &set)
        }
        for (what, fault) in [
            ("module", Fault.moduleStatus("OutOfDate")), ("qe", .enclaveStatus("OutOfDate")),
        ] {
            let accepted = VectorCase(
                name: "status-accepted",
                policy: [("accepted_tcb_statuses", .array(["UpToDate", "OutOfDate"]))])
            add(
                "\(what)-OutOfDate", try vectors.collateral([fault]), reason: "tcb-out-of-date",
                more: [accepted], to: &set)
        }
    }
}
