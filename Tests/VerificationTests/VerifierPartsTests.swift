import Bytes
import Testing

@testable import Verification

@Suite("Parts of the verifier")
struct VerifierPartsTests {
    @Test(
        "times are written in UTC",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_248_000, "2026-11-21T08:00:00Z"), (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
        ])
    func time(seconds: Int64, text: String) {
        #expect(ValidityCheck.text(seconds) == text)
    }

    @Test("the cache keeps what was used last, and never more than twice its capacity")
    func cache() throws {
        let cache = BoundedCache<Int>(capacity: 4)
        func key(_ number: Int) -> FixedBytes<32> {
            var key = FixedBytes<32>()
            key[0] = UInt8(number)
            return key
        }
        for number in 0..<100 {
            cache.insert(number, for: key(number))
            #expect(cache[key(0)] == 0, "used after \(number) others")
        }
        #expect(cache[key(99)] == 99)
        #expect((0..<100).filter { cache[key($0)] != nil }.count <= 8)
    }
}
