import Testing

@testable import BrokerCore

@Suite("Places of reports")
struct ReportPlacesTests {
    @Test("are one for each VM, free once a report leaves or is gone")
    func places() {
        let places = ReportPlaces()
        var first = places.take("web-1")
        #expect(first != nil)
        #expect(places.take("web-1") == nil)
        #expect(places.take("web-2") != nil)
        first = nil
        #expect(places.take("web-1") != nil)
    }

    @Test("are not given away by a report that has left long since")
    func left() {
        let places = ReportPlaces()
        var first = places.take("web-1")
        first?.leave()
        let second = places.take("web-1")
        #expect(second != nil)
        first?.leave()
        first = nil
        #expect(places.take("web-1") == nil)
        withExtendedLifetime(second) {}
    }
}
