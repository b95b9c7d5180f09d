import Bytes
import Evidence
import OpenSSL
import Policy
import Testing
import Verification

@testable import SimulatedPSP

/// What the project's own verifier makes of each fault.
@Suite("Simulated TDX evidence before the verifier")
struct TDXVerdictTests {
    private let reportData = [UInt8](repeating: 0x33, count: 64)
    private let now = SampleMachine.now

    private func verify(
        _ faults: Set<Fault> = [], version: UInt16 = 4, generation: TDXGeneration = .v1_0
    ) throws -> TDXResult {
        let genuine = try SampleMachine.machine.get()
        let changes = TDXFaults(faults)
        let machine = try changes.machine(genuine, now: now)
        let collateral = try changes.collateral(of: genuine, now: now)
        let guest = TDXGuest(
            try SampleMachine.guest().domain, on: machine, version: version,
            generation: generation, faults: faults, localKey: localKey)
        let anchor = TrustAnchor(
            name: "simulated", family: .tdx,
            keyDigest: genuine.authority.rootKey.publicKeyInfoDigest)
        return TDXVerifier(anchors: [anchor]).verify(
            quoteBytes: try guest.quote(reportData),
            collateral: try TDXCollateral(json: Array(collateral.json.utf8)),
            expected: FixedBytes(reportData), at: now)
    }

    private var localKey: SecretBytes { unsafe SecretBytes(copying: reportData.span.bytes) }

    private func refused(_ faults: Set<Fault>) throws -> [String] {
        try verify(faults).findings.filter { $0.outcome == .refused }.map(\.check)
    }

    @Test(
        "a genuine quote is believed to the last check",
        arguments: [(4, TDXGeneration.v1_0), (5, .v1_0), (5, .v1_5)] as [(UInt16, TDXGeneration)])
    func genuine(version: UInt16, generation: TDXGeneration) throws {
        let result = try verify(version: version, generation: generation)
        let claims = try #require(result.claims, "\(result.findings)")
        #expect(result.findings.allSatisfy { $0.outcome == .ok })
        #expect(claims.fmspc == TDXPlatform.usualFMSPC)
        #expect(result.rating?.status == .upToDate)
    }

    @Test(
        "each fault is refused by the check that is about it",
        arguments: [
            (.badSignature, "quote signature"), (.badEnclaveSignature, "QE report"),
            (.unboundKey, "attestation key"), (.wrongRoot, "Intel root"),
            (.wrongReportData, "binding"), (.expiredKey, "certificate dates"),
            (.futureKey, "certificate dates"), (.revokedKey, "revocation"),
            (.revokedIntermediate, "revocation"), (.expiredList, "collateral dates"),
            (.expiredCollateral, "collateral dates"), (.expiredIdentity, "collateral dates"),
            (.wrongFMSPC, "endorsed platform"), (.unsupportedTCB, "TCB level"),
        ] as [(Fault, String)])
    func faults(fault: Fault, check: String) throws {
        #expect(try refused([fault]).first == check)
        #expect(try verify([fault]).claims == nil)
    }

    @Test("statuses are those that were ordered, and the worst counts", arguments: Fault.statuses)
    func statuses(status: String) throws {
        for fault in [
            Fault.platformStatus(status), .moduleStatus(status), .enclaveStatus(status),
        ] {
            let rating = try #require(try verify([fault]).rating, "\(fault.name)")
            #expect(rating.status?.rawValue == status || status != "OutOfDate")
        }
        #expect(try verify([.platformStatus(status)]).rating?.status?.rawValue == status)
    }

    @Test("debugging, an old platform and a hand-over show in the claims")
    func claims() throws {
        #expect(try verify([.debug]).claims?.body.tdAttributes.rawValue == 1 << 28 | 1)
        #expect(try verify([.handedOver]).claims?.body.rtmr[3].isZero == false)
        #expect(try verify().claims?.body.rtmr[3].isZero == true)
    }
}
