import Bytes
import OpenSSL
import Testing

@Suite("Short hashes and keys that sign files")
struct FileSigningKeyTests {
    @Test("short hashes are those of the other interface", arguments: HashAlgorithm.allCases)
    func hashes(bank: HashAlgorithm) {
        let hashing = OpenSSLHashing()
        for count in [0, 1, 55, 56, 64, 111, 112, 128, 300] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            var target = [UInt8](repeating: 7, count: bank.size + 4)
            ShortHash.hash(bank, bytes + [1, 2], count: count, into: &target, at: 2)
            #expect(target == [7, 7] + hashing.digest(bank, bytes) + [7, 7])
        }
    }

    @Test("a register is extended as TPMs do it", arguments: HashAlgorithm.allCases)
    func register(bank: HashAlgorithm) {
        let hashing = OpenSSLHashing()
        var state = RegisterState(bank)
        var value = [UInt8](repeating: 0, count: bank.size)
        #expect(state.value == value)
        state.extend(digestOf: [1, 2, 3, 4], count: 3)
        value = hashing.digest(bank, value + hashing.digest(bank, [1, 2, 3]))
        #expect(state.holds(value))
        state.extend(padded: [5, 6])
        value = hashing.digest(bank, value + [5, 6] + [UInt8](repeating: 0, count: bank.size - 2))
        #expect(state.value == value)
        state.extend(filledWith: 0xff)
        value = hashing.digest(bank, value + [UInt8](repeating: 0xff, count: bank.size))
        #expect(state.value == value && !state.holds(Array(value.dropLast())))
        #expect(RegisterState(bank, value: value).value == value)
    }

    @Test(
        "what is no key is refused",
        arguments: [
            [], [0x30], [0x30, 0x03, 0x02, 0x01, 0x01], Array("-----BEGIN PUBLIC KEY-----\n".utf8),
            [UInt8](repeating: 0x30, count: 70000),
        ])
    func noKeys(bytes: [UInt8]) {
        #expect(throws: CryptoError.self) { try FileSigningKey(parsing: bytes) }
    }
}
