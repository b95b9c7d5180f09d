import Bytes
import Curl
import Dispatch
import Endorsements
import Evidence
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Endorsements

/// Hears of requests; tests wait here and not for a time.
final class Events: Sendable {
    private let events = Mutex<[EndorsementFetcher.Event]>([])
    private let arrived = DispatchSemaphore(value: 0)

    func observe(_ event: EndorsementFetcher.Event) {
        events.withLock { $0.append(event) }
        arrived.signal()
    }

    /// The faults of the first `count` requests, once there are so many; fewer where they do not come.
    func faults(_ count: Int) -> [FetchFault?] {
        for _ in 0..<count { _ = arrived.wait(timeout: .now() + .seconds(300)) }
        return events.withLock { $0.prefix(count).map(\.fault) }
    }
}

@Suite("Fetching from vendors")
struct EndorsementFetcherTests {
    private let folder = TestFolder()
    private let events = Events()
    private let time = Documents.issued + 1000

    private func fetcher(
        _ server: VendorServer, _ change: (inout Downloader.Limits) -> Void = { _ in }
    ) -> EndorsementFetcher {
        var limits = Downloader.Limits()
        change(&limits)
        var rules = FetchSchedule.Rules()
        rules.spacing = [:]
        rules.firstPause = .zero
        return EndorsementFetcher(
            cache: folder.cache, services: EndorsementServices(amd: server.url, intel: server.url),
            transport: EndorsementFetcher.transport(Downloader(limits: limits, proxy: .none)),
            rules: rules, observe: { events.observe($0) }, time: { time })
    }

    private func target(_ object: EndorsementObject) -> String {
        EndorsementServices(amd: "", intel: "").url(of: object)
    }

    private func answer(_ object: EndorsementObject) throws -> VendorServer.Answer {
        let (body, issuers) = try Documents.document(object)
        let encoded = issuers.map { bytes in
            bytes.map { byte in "%" + Hex.encode([byte]).uppercased() }.joined()
        }
        let name = object.issuersHeader.map { $0.uppercased() }
        return .good(
            body,
            zip([name], [encoded]).compactMap { name, value in
                name.flatMap { name in value.map { "\(name): \($0)" } }
            })
    }

    @Test("asks AMD and Intel as they want to be asked")
    func urls() {
        let services = EndorsementServices()
        let turin = TCBVersion(
            raw: FixedBytes([1, 2, 3, 4, 0, 0, 0, 81]) ?? FixedBytes(), product: .turin)
        let chip = String(repeating: "c4", count: 64)
        let expected: [EndorsementObject: String] = [
            Documents.vcekObject:
                "https://kdsintf.amd.com/vcek/v1/Genoa/\(chip)?blSPL=10&teeSPL=00&snpSPL=23&ucodeSPL=84",
            .vcek(hwID: [1, 2, 3, 4, 5, 6, 7, 8], turin):
                "https://kdsintf.amd.com/vcek/v1/Turin/0102030405060708"
                + "?fmcSPL=01&blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=81",
            .amdIssuers(.vlek, .milan): "https://kdsintf.amd.com/vlek/v1/Milan/cert_chain",
            .amdRevocations(.milan): "https://kdsintf.amd.com/vcek/v1/Milan/crl",
            .tdxTCBInfo(fmspc: Documents.fmspc):
                "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=50806f000000",
            .tdxQEIdentity:
                "https://api.trustedservices.intel.com/tdx/certification/v4/qe/identity",
            .pckRevocations(.processor):
                "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl"
                + "?ca=processor&encoding=der",
            .intelRootRevocations:
                "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der",
        ]
        for (object, url) in expected { #expect(services.url(of: object) == url) }
    }

    @Test("fetches every kind of document into the cache", arguments: Documents.objects)
    func fetches(object: EndorsementObject) throws {
        let server = try VendorServer()
        defer { server.stop() }
        server.answer(target(object), try answer(object))
        let fetcher = fetcher(server)
        _ = fetcher.want(object, for: "203.0.113.7")
        #expect(events.faults(1) == [nil])
        let entry = try #require(folder.cache.entry(object))
        #expect(entry.fetched == time)
        #expect(entry.source == server.url + target(object))
        #expect((entry.issuers != nil) == (object.issuersHeader != nil))
        fetcher.stop()
    }

    @Test("asks once, however many want it while it is under way")
    func singleFlight() throws {
        let object = EndorsementObject.amdRevocations(.genoa)
        let body = try Documents.document(object).body
        let everybodyWants = DispatchSemaphore(value: 0)
        let requests = Atomic(0)
        let server = try VendorServer()
        defer { server.stop() }
        server.answer(target(object), .good(body))
        let network = EndorsementFetcher.transport(Downloader(proxy: .none))
        let fetcher = EndorsementFetcher(
            cache: folder.cache, services: EndorsementServices(amd: server.url),
            transport: { url, cancellation throws(HTTPFault) in
                requests.add(1, ordering: .relaxed)
                everybodyWants.wait()
                return try network(url, cancellation)
            }, observe: { events.observe($0) })
        DispatchQueue.concurrentPerform(iterations: 64) { index in
            _ = fetcher.want(object, for: "203.0.113.\(index)")
        }
        everybodyWants.signal()
        #expect(events.faults(1) == [nil])
        fetcher.stop()
        #expect(requests.load(ordering: .relaxed) == 1)
        #expect(server.requests.count == 1)
    }

    @Test("tries again after 429, 500, a broken and a missing answer, each by its name")
    func transientFaults() throws {
        let server = try VendorServer()
        defer { server.stop() }
        let object = EndorsementObject.amdRevocations(.genoa)
        server.answer(
            target(object), .status(429), .status(500), .truncated(body: [1, 2, 3, 4]),
            .raw([]), try answer(object))
        let fetcher = fetcher(server)
        _ = fetcher.want(object, for: "203.0.113.7")
        #expect(
            events.faults(5) == [
                .limited(retryAfter: nil), .unavailable(status: 500, retryAfter: nil),
                .transport(.truncated), .transport(.truncated), nil,
            ])
        #expect(folder.cache.contains(object))
        fetcher.stop()
    }

    @Test(
        "reads Retry-After as seconds and as a date",
        arguments: [
            ("17", 17), ("-1", nil), ("soon", nil), ("Fri, 15 Jan 2027 08:17:00 GMT", 20),
            ("Fri, 15 Jan 2027 08:16:00 GMT", 0), ("Fri, 32 Jan 2027 08:16:00 GMT", nil),
        ] as [(String, Int?)])
    func retryAfter(value: String, seconds: Int?) throws {
        let server = try VendorServer()
        defer { server.stop() }
        let object = EndorsementObject.amdRevocations(.genoa)
        server.answer(
            target(object), .status(503, ["Retry-After: \(value)"]), try answer(object))
        let fetcher = fetcher(server)
        _ = fetcher.want(object, for: "203.0.113.7")
        #expect(events.faults(1) == [.unavailable(status: 503, retryAfter: seconds)])
        fetcher.stop()
    }

    @Test("comes back after a pause, also where the timer is ahead of the clock")
    func pause() throws {
        let object = EndorsementObject.amdRevocations(.genoa)
        let body = try Documents.document(object).body
        let isFirst = Atomic<Bool>(true)
        var rules = FetchSchedule.Rules()
        rules.spacing = [:]
        rules.firstPause = .milliseconds(20)
        let fetcher = EndorsementFetcher(
            cache: folder.cache, services: EndorsementServices(),
            transport: { _, _ throws(HTTPFault) in
                if isFirst.exchange(false, ordering: .relaxed) {
                    throw .timedOut(milliseconds: 1)
                }
                return Downloader.Answer(status: 200, headers: [], body: body)
            }, rules: rules, observe: { [events] in events.observe($0) },
            // Stands still for 200 ms at a time.
            clock: { .milliseconds(Int64(Clock.monotonicMilliseconds / 200 * 200)) },
            time: { [time] in time })
        _ = fetcher.want(object, for: "203.0.113.7")
        #expect(events.faults(2) == [.transport(.timedOut(milliseconds: 1)), nil])
        fetcher.stop()
    }

    @Test("gives up a server that says nothing")
    func silence() throws {
        let server = try VendorServer()
        defer { server.stop() }
        let object = EndorsementObject.amdRevocations(.genoa)
        server.answer(target(object), .silence)
        let fetcher = fetcher(server) { $0.total = 100 }
        _ = fetcher.want(object, for: "203.0.113.7")
        #expect(events.faults(1) == [.transport(.timedOut(milliseconds: 100))])
        fetcher.stop()
    }

    @Test("keeps a good document whatever else comes, and says what came")
    func keepsTheGoodOne() throws {
        let object = EndorsementObject.amdRevocations(.genoa)
        let good = try Documents.content(object)
        let other = try Documents.document(.amdRevocations(.milan)).body
        let older = try Documents.document(object, from: Documents.issued - 60).body
        let answers: [(VendorServer.Answer, FetchFault)] = [
            (.status(404), .refused(status: 404)),
            (.status(302, ["Location: /elsewhere"]), .redirected(status: 302)),
            (.good([]), .wrongContent(rule: "a revocation list of ARK-Genoa in DER")),
            (.good(other), .wrongContent(rule: "a revocation list of ARK-Genoa in DER")),
            (.good(good.body + [0]), .wrongContent(rule: "a revocation list of ARK-Genoa in DER")),
            (
                .good(Array(good.body.dropLast())),
                .wrongContent(rule: "a revocation list of ARK-Genoa in DER")
            ),
            (.good(older), .older),
            (
                .good(Array(repeating: 0x30, count: (1 << 20) + 1)),
                .transport(.answerTooLong(limit: 1 << 20))
            ),
        ]
        for (answer, fault) in answers {
            let events = Events()
            let server = try VendorServer()
            defer { server.stop() }
            try folder.cache.store(good, as: object, metadata: nil)
            let before = folder.contents
            server.answer(target(object), answer)
            let fetcher = EndorsementFetcher(
                cache: folder.cache, services: EndorsementServices(amd: server.url),
                transport: EndorsementFetcher.transport(Downloader(proxy: .none)),
                observe: { events.observe($0) })
            _ = fetcher.want(object, for: "203.0.113.7")
            #expect(events.faults(1) == [fault])
            #expect(fetcher.want(object, for: "203.0.113.7") == .failed(fault))
            #expect(folder.contents == before)
            #expect(server.requests.count == 1)
            fetcher.stop()
        }
    }

    @Test(
        "takes no answer of Intel's without its issuers",
        arguments: [
            "", "TCB-Info-Issuer-Chain: %", "TCB-Info-Issuer-Chain: %2",
            "TCB-Info-Issuer-Chain: abc",
        ])
    func issuers(header: String) throws {
        let server = try VendorServer()
        defer { server.stop() }
        let object = EndorsementObject.tdxTCBInfo(fmspc: Documents.fmspc)
        server.answer(
            target(object),
            .good(try Documents.document(object).body, header.isEmpty ? [] : [header]))
        let fetcher = fetcher(server)
        _ = fetcher.want(object, for: "203.0.113.7")
        #expect(
            events.faults(1) == [
                .wrongContent(rule: "certificates of the issuers in PEM beside it")
            ])
        fetcher.stop()
    }

    @Test("stops within a request, and asks for nothing afterwards")
    func stops() throws {
        let server = try VendorServer()
        defer { server.stop() }
        let object = EndorsementObject.amdRevocations(.genoa)
        server.answer(target(object), .silence)
        let asked = Atomic<Int>(0)
        let transport = EndorsementFetcher.transport(Downloader(proxy: .none))
        let fetcher = EndorsementFetcher(
            cache: folder.cache, services: EndorsementServices(amd: server.url),
            transport: { url, cancellation throws(HTTPFault) in
                asked.add(1, ordering: .relaxed)
                return try transport(url, cancellation)
            })
        _ = fetcher.want(object, for: "203.0.113.7")
        fetcher.stop()
        let count = asked.load(ordering: .relaxed)
        #expect(fetcher.want(object, for: "203.0.113.7") == .failed(.transport(.cancelled)))
        fetcher.stop()
        #expect(asked.load(ordering: .relaxed) == count)
    }

    @Test("renews what ends within the margin, and nothing else")
    func prefetch() throws {
        let server = try VendorServer()
        defer { server.stop() }
        let (soon, late) = (EndorsementObject.tdxQEIdentity, EndorsementObject.intelRootRevocations)
        try folder.cache.store(try Documents.content(soon), as: soon, metadata: nil)
        try folder.cache.store(
            try Documents.content(late, from: Documents.issued + 864_000), as: late, metadata: nil)
        server.answer(target(soon), try answer(soon))
        let fetcher = fetcher(server)
        // Thirty days after `issued` the first one ends.
        fetcher.prefetch(within: 2_592_000 - 1000 + 1)
        #expect(events.faults(1) == [nil])
        fetcher.stop()
        #expect(server.requests == [target(soon)])
    }
}
