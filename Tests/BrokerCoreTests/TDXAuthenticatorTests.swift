import Authenticators
import BrokerCore
import Bytes
import Endorsements
import Evidence
import OpenSSL
import Policy
import Protocol
import Testing
import Verification

@testable import SimulatedPSP

@Suite("TDX quotes in the broker")
struct TDXAuthenticatorTests {
    private let intel: SimulatedIntel
    private let binding: FixedBytes<64> = fixed(0xb1)

    init() throws {
        intel = try SimulatedIntel()
    }

    private func authenticate(
        _ domain: SimulatedTD = SimulatedTD(), at time: Int64 = SimulatedIntel.now
    ) throws -> Authentication {
        try intel.authenticator.authenticate(
            domain.evidence(intel, over: binding), binding: binding, at: time)
    }

    @Test(
        "give claims with the vendor's status where the folder has its documents",
        arguments: [(UInt16(4), TDXGeneration.v1_0), (5, .v1_0), (5, .v1_5)])
    func withCollateral(version: UInt16, generation: TDXGeneration) throws {
        try intel.publish()
        var domain = SimulatedTD()
        domain.version = version
        domain.generation = generation
        let result = try authenticate(domain)
        #expect(result.refused.isEmpty && result.missing.isEmpty)
        #expect(result.claims?.tdx?.tcbStatus == .upToDate)
        #expect(result.platform == "TDX" && result.measurement == SimulatedTD.boot.mrTD)
        #expect(result.reportID == nil && result.chipID == nil)
    }

    @Test("give claims without a status where it has none, and say what is wanted")
    func withoutCollateral() throws {
        let result = try authenticate()
        #expect(result.refused == Array(repeating: "endorsements", count: 4))
        #expect(result.claims?.tdx != nil && result.claims?.tdx?.tcbStatus == nil)
        #expect(result.missing == intel.documents)
    }

    @Test("want the documents again that are no longer the last")
    func oldCollateral() throws {
        try intel.publish { $0.listDays = 0 }
        let result = try authenticate()
        #expect(result.claims == nil && result.refused == ["collateral dates"])
        #expect(result.missing == [.pckRevocations(.platform), .intelRootRevocations])
    }

    @Test(
        "want nothing where no document could help",
        arguments: [Fault.badSignature, .badEnclaveSignature, .unboundKey, .wrongReportData])
    func hopeless(fault: Fault) throws {
        var domain = SimulatedTD()
        domain.faults = [fault]
        let result = try authenticate(domain)
        #expect(result.claims == nil && result.missing.isEmpty)
        #expect(!result.refused.filter { $0 != "endorsements" }.isEmpty)
    }

    @Test("of a root that nobody pins want nothing")
    func stranger() throws {
        let other = try SimulatedIntel()
        let evidence = try SimulatedTD().evidence(other, over: binding)
        let result = try intel.authenticator.authenticate(
            evidence, binding: binding, at: SimulatedIntel.now)
        #expect(result.claims == nil && result.missing.isEmpty)
        #expect(result.refused.contains("Intel root"))
    }

    @Test("turn by each thing that the vendor may say against them")
    func vendorsWord() throws {
        let orders: [(String, @Sendable (inout PCSCollateral.Order) -> Void)] = [
            ("revocation", { $0.revokesPCK = true }),
            ("revocation", { $0.revokesPlatformCA = true }),
            ("collateral dates", { $0.days = 0 }), ("TCB level", { $0.platformStatus = nil }),
        ]
        for (check, change) in orders {
            let own = try SimulatedIntel()
            try own.publish(change)
            let result = try own.authenticator.authenticate(
                SimulatedTD().evidence(own, over: binding), binding: binding,
                at: SimulatedIntel.now)
            #expect(result.claims == nil && result.refused.contains(check), "\(result.refused)")
        }
    }

    @Test("that are none are refused by findings, not as malformed")
    func noQuote() throws {
        for quote in [[], [4, 0], [UInt8](repeating: 0, count: 1020)] {
            let result = try intel.authenticator.authenticate(
                SimulatedTD().evidence(quote: quote, over: binding), binding: binding,
                at: SimulatedIntel.now)
            #expect(result.claims == nil && result.missing.isEmpty)
            #expect(result.refused.contains("TDX quote"))
        }
    }

    @Test("any bit of header, body or keys changed leaves no claims")
    func mutations() throws {
        try intel.publish()
        let guest = TDXGuest(
            SimulatedTD().domain, on: intel.machine, version: 4, generation: .v1_0, faults: [],
            localKey: secret(0x31))
        let quote = try guest.quote(binding.bytes)
        for offset in stride(from: 0, to: 1700, by: 7) {
            var changed = quote
            changed[offset] ^= 1
            let result = try intel.authenticator.authenticate(
                SimulatedTD().evidence(quote: changed, over: binding), binding: binding,
                at: SimulatedIntel.now)
            #expect(result.claims == nil, "offset \(offset)")
        }
    }

    @Test("carry a log that has to lead to their registers")
    func eventLog() throws {
        try intel.publish()
        var domain = SimulatedTD()
        domain.log = SimulatedTD.boot.log.bytes
        let good = try authenticate(domain)
        #expect(good.refused.isEmpty && good.claims?.boot?.secureBoot == false)
        #expect(good.claims?.boot?.source == .confidentialComputing)
        for register in 0..<3 {
            var other = domain
            other.domain.extend(register, with: [UInt8](repeating: 1, count: 48), hashing: hashing)
            let result = try authenticate(other)
            #expect(result.refused == ["event log"] && result.claims?.boot == nil)
        }
        domain.log = [1, 2, 3]
        #expect(try authenticate(domain).refused == ["event log format"])
        domain.log = []
        #expect(try authenticate(domain).refused.isEmpty)
    }

    @Test("that are not authentic leave their log unjudged")
    func logWithoutQuote() throws {
        var domain = SimulatedTD()
        domain.log = SimulatedTD.boot.log.bytes
        domain.faults = [.badSignature]
        let result = try authenticate(domain)
        #expect(result.outcome("event log") == .notChecked && result.claims == nil)
    }

    private var hashing: OpenSSLHashing { OpenSSLHashing() }
}

extension Authentication {
    /// The checks that did not hold.
    var refused: [String] { findings.filter { $0.outcome == .refused }.map(\.check) }

    func outcome(_ check: String) -> Finding.Outcome? {
        findings.first { $0.check == check }?.outcome
    }
}
