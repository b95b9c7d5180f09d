import Bytes
import OpenSSL
import Testing

@Suite("A digest of parts")
struct RunningHashTests {
    @Test("is that of the whole, and the next one begins anew", arguments: HashAlgorithm.allCases)
    func parts(algorithm: HashAlgorithm) {
        var hash = RunningHash(algorithm)
        let bytes = [UInt8](0..<200)
        for _ in 0..<2 {
            hash.update(bytes, count: 0)
            hash.update(bytes, count: 3)
            hash.update(Array(bytes.dropFirst(3)), count: 197)
            #expect(hash.finish() == OpenSSLHashing().digest(algorithm, bytes))
        }
        #expect(hash.finish() == OpenSSLHashing().digest(algorithm, []))
    }

    @Test("of MD5 is that of RFC 1321, where this library has it")
    func md5() {
        guard var hash = RunningHash.md5() else { return }
        hash.update(Array("abc".utf8), count: 3)
        #expect(Hex.encode(hash.finish()) == "900150983cd24fb0d6963f7d28e17f72")
    }
}
