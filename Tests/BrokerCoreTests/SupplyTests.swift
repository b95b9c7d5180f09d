import AdminAPI
import Authenticators
import BrokerCore
import Bytes
import Curl
import Endorsements
import Evidence
import Foundation
import OpenSSL
import Policy
import Protocol
import Store
import Synchronization
import Testing

/// Believes reports only where the cache has the revocation list of Genoa.
struct NeedyAuthenticator: EvidenceAuthenticator {
    static let object = EndorsementObject.amdRevocations(.genoa)

    let cache: EndorsementCache
    /// Whether evidence is authentic without the list too.
    var isNeeded = true

    var kinds: Set<EvidenceKind> { [.snp] }

    func authenticate(
        _ evidence: EvidenceMessage, binding: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Authentication {
        var result = try TrustingAuthenticator().authenticate(evidence, binding: binding, at: time)
        guard !cache.contains(Self.object) else { return result }
        if result.claims != nil { result.missing = [Self.object] }
        if isNeeded {
            result.claims = nil
            result.findings.append(
                Finding(
                    check: "endorsements", outcome: .refused, expected: "the list",
                    actual: "missing"))
        }
        return result
    }
}

/// A vendor that answers as it is told, and a desk that orders from it.
final class TestDesk: Sendable {
    let desk: EndorsementDesk
    let cache: EndorsementCache
    private let directory = NSTemporaryDirectory() + "bootgate-desk-\(UUID().uuidString)"
    private let events: AsyncStream<EndorsementFetcher.Event>

    /// `answers` in turn, the last of them for ever; offline with none.
    init(_ answers: [Result<Int, HTTPFault>]) throws {
        cache = EndorsementCache(directory)
        let (events, continuation) = AsyncStream.makeStream(of: EndorsementFetcher.Event.self)
        self.events = events
        guard !answers.isEmpty else {
            desk = EndorsementDesk(cache: cache, fetcher: nil)
            return
        }
        let list = try Self.list()
        let rest = Mutex(answers)
        var rules = FetchSchedule.Rules()
        rules.spacing = [:]
        // Doubled each time, so that a vendor who never answers is not asked without pause.
        rules.firstPause = .milliseconds(10)
        let fetcher = EndorsementFetcher(
            cache: cache, services: EndorsementServices(),
            transport: { _, _ throws(HTTPFault) in
                let next = rest.withLock { rest in
                    rest.count > 1 ? rest.removeFirst() : rest[0]
                }
                let status = try next.get()
                return Downloader.Answer(
                    status: status, headers: [], body: status == 200 ? list : [])
            }, rules: rules, observe: { continuation.yield($0) })
        desk = EndorsementDesk(cache: cache, fetcher: fetcher)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Waits until a request has ended.
    func request() async {
        for await _ in events { return }
    }

    private static func list() throws -> [UInt8] {
        try CRLIssuer.issue(
            CRLTemplate(
                issuer: .init(commonName: "ARK-Genoa"), thisUpdate: 1_900_000_000,
                nextUpdate: 2_100_000_000, entries: [], signature: .ecdsaSHA256),
            issuerKey: SigningKey.generate(.p256))
    }
}

@Suite("Launches that something of a vendor's is missing for")
struct SupplyTests {
    private func sample(
        _ test: TestDesk, isNeeded: Bool = true,
        strangerRows: (perAddress: Int, total: Int) = (10, 60)
    ) async throws -> Sample {
        try await Sample(
            strangerRows: strangerRows,
            authenticator: NeedyAuthenticator(cache: test.cache, isNeeded: isNeeded),
            desk: test.desk)
    }

    @Test("are held while it is fetched, and released when it is there")
    func heldAndReleased() async throws {
        let test = try TestDesk([.success(200)])
        let sample = try await sample(test)
        let attester = try Attester()
        let (seconds, reference) = try #require(try await attester.ask(sample).0.held)
        #expect((5...7).contains(seconds))
        #expect(reference == "L-00001")
        let row = try #require(try await sample.newest())
        #expect(row.entry.decision == .held)
        #expect(row.outcome == .none)
        let findings = try JSONDecoder().decode(
            [Finding].self, from: Data(row.entry.findings.utf8))
        let supply = try #require(findings.first { $0.check == "supply" })
        #expect(supply.outcome == .notChecked)
        #expect(supply.expected == "revocation list of Genoa")
        #expect(supply.actual == "being fetched from AMD's key service")
        await test.request()
        #expect(try await attester.ask(sample).0.released != nil)
        #expect(sample.authority.statistics.now.decisions == [.held: 1, .released: 1])
        #expect(sample.authority.statistics.now.refusals == [:])
    }

    @Test("are held on while the vendor cannot be reached")
    func unreachable() async throws {
        let test = try TestDesk([.failure(.timedOut(milliseconds: 1)), .success(503)])
        let sample = try await sample(test)
        let attester = try Attester()
        #expect(try await attester.ask(sample).0.held != nil)
        await test.request()
        await test.request()
        #expect(try await attester.ask(sample).0.held != nil)
    }

    @Test("are refused, with the vendor's answer, when it does not come")
    func refusedForGood() async throws {
        let test = try TestDesk([.success(404)])
        let sample = try await sample(test)
        let attester = try Attester()
        #expect(try await attester.ask(sample).0.held != nil)
        await test.request()
        #expect(try #require(try await attester.ask(sample).0.refusal) == (.refused, "L-00002"))
        let row = try #require(try await sample.newest())
        #expect(row.entry.refusedChecks == ["endorsements"])
        #expect(
            row.entry.findings.contains(
                "AMD's key service: the service has no such document (status 404)"))
    }

    @Test("are refused at once where nothing may be fetched, and the owner learns what to bring")
    func offline() async throws {
        let test = try TestDesk([])
        let sample = try await sample(test)
        #expect(try await Attester().ask(sample).0.refusal != nil)
        #expect(try await sample.newest()?.entry.findings.contains("fetching is off") == true)
        #expect(Array(test.desk.wanted.now.keys) == [NeedyAuthenticator.object])
        #expect(Array(WantedEndorsements.read(test.cache).keys) == [NeedyAuthenticator.object])
    }

    @Test(
        "are released without it where the policy does not want it, and it is fetched all the same")
    func notNeeded() async throws {
        let test = try TestDesk([.success(200)])
        let sample = try await sample(test, isNeeded: false)
        #expect(try await Attester().ask(sample).0.released != nil)
        await test.request()
        #expect(test.cache.contains(NeedyAuthenticator.object))
    }

    @Test("are refused and not held for what it could not change")
    func otherReasons() async throws {
        let test = try TestDesk([.failure(.timedOut(milliseconds: 1))])
        let sample = try await sample(test, isNeeded: false)
        var attester = try Attester()
        attester.headerDigest = fixed(0)
        #expect(try await attester.ask(sample).0.refusal != nil)
        var stranger = try Attester()
        stranger.isBound = false
        #expect(try await stranger.ask(sample).0.refusal != nil)
    }

    @Test("are held without a ledger row once strangers have had theirs")
    func budget() async throws {
        let test = try TestDesk([.failure(.timedOut(milliseconds: 1))])
        let sample = try await sample(test, strangerRows: (1, 1))
        let attester = try Attester()
        #expect(try await attester.ask(sample).0.held?.1 == "L-00001")
        let (_, reference) = try #require(try await attester.ask(sample).0.held)
        #expect(reference.hasPrefix("A-"))
        #expect(try await sample.store.counts().launches == 1)
    }
}
