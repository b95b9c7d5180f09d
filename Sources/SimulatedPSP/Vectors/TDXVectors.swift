import Bytes
import OpenSSL

/// TDX quotes of both versions with collateral, good ones and such as have one thing wrong.
struct TDXVectors {
    let machine: TDXMachine
    let seed: VectorSeed
    let now: Int64

    static let day: Int64 = 86400
    /// Whatever signs for the machine is named by each case.
    static let anchor: (String, JSONText.Value) = ("trust_anchor", "root.der")
    static let signaturesOnly: (String, JSONText.Value) = ("collateral", "none")

    init(seed: VectorSeed, now: Int64) throws(CryptoError) {
        self.seed = seed
        self.now = now
        // Older than its collateral, so that a clock before that finds the certificates valid.
        let made = now - 30 * Self.day
        machine = try TDXMachine(
            TDXPlatform(fmspc: TDXPlatform.usualFMSPC, ppid: seed.fixed("ppid")),
            under: try TDXAuthority(now: made), now: made)
    }

    var reportData: [UInt8] { seed.bytes("report data", count: 64) }

    /// A launch on `machine`, or on another one.
    func guest(
        version: UInt16 = 4, generation: TDXGeneration = .v1_0, faults: Set<Fault> = [],
        on other: TDXMachine? = nil
    ) -> TDXGuest {
        var domain = TrustDomain()
        domain.mrTD = seed.fixed("mrtd")
        domain.mrConfigID = seed.fixed("mrconfigid")
        for index in 0..<3 { domain.rtmr[index] = seed.fixed("rtmr\(index)") }
        let local = seed.bytes("mac", count: 32)
        return TDXGuest(
            domain, on: other ?? machine, version: version, generation: generation,
            faults: faults, localKey: unsafe SecretBytes(copying: local.span.bytes))
    }

    func collateral(_ faults: Set<Fault> = []) throws(PSPFault) -> [UInt8] {
        try collateral(faults) { _ in }
    }

    /// What the vendor says, with `change` made to it after it was signed.
    func collateral(
        _ faults: Set<Fault> = [], _ change: (inout PCSCollateral) -> Void
    ) throws(PSPFault) -> [UInt8] {
        var collateral = try TDXFaults(faults).collateral(of: machine, now: now)
        change(&collateral)
        return Array((collateral.json + "\n").utf8)
    }

    func add(to set: inout VectorSet) throws {
        let root = set.file("tdx/root.der", machine.authority.root)
        let good = set.file("tdx/collateral.json", try collateral())
        let shared = [(path: good, role: "tdx-collateral"), (path: root, role: "trust-anchor")]
        let shapes: [(UInt16, TDXGeneration, String)] = [
            (4, .v1_0, "v4"), (5, .v1_0, "v5-td10"), (5, .v1_5, "v5-td15"),
        ]
        var quotes: [String] = []
        for (version, generation, name) in shapes {
            let quote = try guest(version: version, generation: generation).quote(reportData)
            let path = set.file("tdx/tdx-\(name).bin", quote)
            quotes.append(path)
            set.add(
                VectorEntry(
                    id: "tdx-\(name)", kind: "tdx-quote-v\(version)",
                    tags: ["tdx", "body-\(generation == .v1_0 ? 584 : 648)"],
                    files: [(path, "tdx-quote")] + shared, cases: cases()))
        }
        try TDXNegatives(vectors: self, root: root, collateral: good, quote: quotes[0])
            .add(to: &set)
        let report = guest(generation: .v1_5).localReport(reportData)
        set.add(
            VectorEntry(
                id: "tdreport", kind: "tdreport", tags: ["tdx", "negative"],
                files: [(set.file("tdx/tdreport.bin", report), "tdreport")],
                cases: [
                    VectorCase(
                        name: "not-a-quote", reason: "malformed", policy: [Self.signaturesOnly])
                ]))
    }

    /// What is asked of every good quote.
    private func cases() -> [VectorCase] {
        let mrTD = seed.bytes("mrtd", count: 48)
        func input(_ bytes: [UInt8]) -> [(String, JSONText.Value)] {
            [("report_data", .string(Hex.encode(bytes)))]
        }
        func pinned(_ bytes: [UInt8]) -> [(String, JSONText.Value)] {
            [Self.signaturesOnly, ("mr_td", .string(Hex.encode(bytes)))]
        }
        let only = [Self.signaturesOnly]
        let pckEnd = now + 7 * 365 * Self.day
        let cases = [
            VectorCase(name: "signatures-only", policy: only),
            VectorCase(name: "report-data-equal", inputs: input(reportData), policy: only),
            VectorCase(
                name: "report-data-different", reason: "report-data-mismatch",
                inputs: input(SNPVectors.changed(reportData)), policy: only),
            VectorCase(name: "mrtd-equal", policy: pinned(mrTD)),
            VectorCase(
                name: "mrtd-different", reason: "measurement-mismatch",
                policy: pinned(SNPVectors.changed(mrTD))),
            VectorCase(name: "pck-expired", reason: "cert-expired", time: pckEnd, policy: only),
            VectorCase(
                name: "pck-not-yet-valid", reason: "cert-not-yet-valid", time: now - 40 * Self.day,
                policy: only),
            VectorCase(name: "with-collateral"),
            VectorCase(
                name: "collateral-expired", reason: "collateral-expired",
                time: now + 30 * Self.day),
            VectorCase(
                name: "collateral-from-the-future", reason: "collateral-not-yet-valid",
                time: now - Self.day - 3600),
        ]
        let anchored = cases.map { one in
            var one = one
            one.time = one.time ?? now
            one.policy.append(Self.anchor)
            return one
        }
        return anchored + [
            VectorCase(
                name: "vendor-root-only", reason: "untrusted-root", time: now, policy: only)
        ]
    }
}
