import Bytes
import Testing

@testable import Verification

@Suite("Parts of the verifier")
struct VerifierPartsTests {
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
