import Bytes
import Testing

@Suite("Blocks of bytes")
struct ByteBlocksTests {
    @Test("a byte is found at its first place, wherever a search starts and ends")
    func search() {
        let bytes = (0..<40).map { UInt8($0 % 13 == 5 ? 0x20 : ($0 % 3 == 0 ? 0x21 : 0xa0)) }
        for lower in 0...40 {
            for upper in lower...40 {
                for byte in [0x20, 0x21, 0xa0, 0x00] as [UInt8] {
                    #expect(
                        bytes.firstIndex(of: byte, in: lower..<upper)
                            == bytes[lower..<upper].firstIndex(of: byte))
                }
            }
        }
    }

    @Test("equal are only blocks without any difference")
    func equality() {
        let bytes = (0..<30).map { UInt8($0) }
        for count in 0...20 {
            #expect(bytes.isEqual(3..<3 + count, to: Array(bytes[2...]), at: 1))
            for index in 0..<count {
                var other = Array(bytes[2...])
                other[1 + index] ^= 0x80
                #expect(!bytes.isEqual(3..<3 + count, to: other, at: 1))
            }
        }
    }

    @Test("a block is copied to its place and nowhere else")
    func overwriting() {
        var bytes = [UInt8](repeating: 9, count: 8)
        bytes.overwrite(at: 2, with: [0, 1, 2, 3], 1..<4)
        #expect(bytes == [9, 9, 1, 2, 3, 9, 9, 9])
        bytes.overwrite(at: 8, with: [], 0..<0)
        #expect(bytes.count == 8)
    }

    @Test("each byte, the length and the seed change the mixture")
    func mixing() {
        let bytes = (0..<40).map { UInt8($0) }
        var seen: Set<UInt64> = []
        for seed in [0, 16, 32, 64] as [UInt64] { seen.insert(bytes.mixed(0..<21, seed: seed)) }
        for count in 0..<21 { seen.insert(bytes.mixed(0..<count, seed: 0)) }
        for index in 0..<21 {
            var changed = bytes
            changed[index] ^= 1
            seen.insert(changed.mixed(0..<21, seed: 0))
        }
        #expect(seen.count == 46)
    }
}
