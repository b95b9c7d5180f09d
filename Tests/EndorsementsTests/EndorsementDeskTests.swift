import Curl
import Endorsements
import Evidence
import Synchronization
import TestSupport
import Testing

@Suite("The desk where launches order endorsements")
struct EndorsementDeskTests {
    private let folder = TestFolder()

    @Test("opens no connection where fetching is off, and remembers what was asked for")
    func offline() throws {
        let server = try VendorServer()
        defer { server.stop() }
        let desk = EndorsementDesk(cache: folder.cache, fetcher: nil, time: { 1000 })
        let object = EndorsementObject.amdRevocations(.genoa)
        for _ in 0..<3 {
            let reply = desk.request([object], for: "203.0.113.7")
            #expect(reply == .init(retryAfter: nil, notes: [object: "fetching is off"]))
        }
        #expect(server.connections == 0)
        #expect(desk.wanted.now == [object: 1000])
        #expect(WantedEndorsements.read(folder.cache) == [object: 1000])
    }

    @Test("tells a time to come back, five seconds at least, and nothing for an empty order")
    func online() throws {
        let server = try VendorServer()
        defer { server.stop() }
        let fetcher = EndorsementFetcher(
            cache: folder.cache, services: EndorsementServices(amd: server.url),
            transport: EndorsementFetcher.transport(Downloader(proxy: .none)))
        let desk = EndorsementDesk(cache: folder.cache, fetcher: fetcher)
        #expect(desk.request([], for: "a") == .init(retryAfter: nil, notes: [:]))
        let reply = desk.request([.amdRevocations(.genoa)], for: "a")
        #expect((5...7).contains(reply.retryAfter ?? 0))
        fetcher.stop()
    }

    @Test("writes at most once in ten seconds, however many chips somebody makes up")
    func writesSeldom() throws {
        let time = Mutex<Int64>(1000)
        let desk = EndorsementDesk(
            cache: folder.cache, fetcher: nil, time: { time.withLock { $0 } })
        let lines = [SNPProduct.milan, .genoa, .turin].map(EndorsementObject.amdRevocations)
        for line in lines { _ = desk.request([line], for: "a") }
        #expect(Set(desk.wanted.now.keys) == Set(lines))
        #expect(Array(WantedEndorsements.read(folder.cache).keys) == [lines[0]])
        time.withLock { $0 += 10 }
        _ = desk.request([lines[0]], for: "a")
        #expect(Set(WantedEndorsements.read(folder.cache).keys) == Set(lines))
    }

    @Test("remembers the last 1024 documents")
    func bounded() {
        let desk = EndorsementDesk(cache: folder.cache, fetcher: nil, time: { 1000 })
        let objects = (0..<1100).map { number in
            EndorsementObject.vcek(
                hwID: [UInt8(number >> 8), UInt8(number & 0xff)]
                    + [UInt8](repeating: 0, count: 62), Documents.genoa)
        }
        _ = desk.request(objects, for: "a")
        #expect(desk.wanted.now.count == WantedEndorsements.maximumCount)
        #expect(WantedEndorsements.read(folder.cache).count == WantedEndorsements.maximumCount)
    }
}
