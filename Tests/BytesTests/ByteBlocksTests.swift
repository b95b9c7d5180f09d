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

    @Test("one byte that is no printable ASCII, or a space, is seen wherever it stands")
    func graphic() {
        for count in 0...19 {
            for index in 0..<count {
                for byte in [0, 0x20, 0x21, 0x7e, 0x7f, 0x80, 0xa1, 0xff] as [UInt8] {
                    var bytes = (0..<21).map { $0 % 2 == 0 ? 0x21 as UInt8 : 0x7e }
                    bytes[0] = 0
                    bytes[1 + index] = byte
                    let isGraphic = bytes.isGraphic(1..<1 + count)
                    #expect(isGraphic == (0x21...0x7e).contains(byte))
                }
            }
            #expect([UInt8](repeating: 0x41, count: count).isGraphic(0..<count))
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

    @Test("digits of either case become bytes, in their place and nowhere else")
    func digits() {
        let bytes = (0..<40).map { UInt8(truncatingIfNeeded: $0 * 37) }
        let text = Array(Hex.encode(bytes).utf8)
        let upperCase = Array(Hex.encode(bytes).uppercased().utf8)
        for count in 0...19 {
            for digits in [text, upperCase] {
                var target = [UInt8](repeating: 0x55, count: 24)
                #expect(digits.decodeHex(6..<6 + 2 * count, into: &target, at: 3))
                #expect(Array(target[3..<3 + count]) == Array(bytes[3..<3 + count]))
                #expect(target[..<3] == [0x55, 0x55, 0x55])
                #expect(target[(3 + count)...].allSatisfy { $0 == 0x55 })
            }
        }
    }

    @Test("a character that is no digit is refused wherever it stands, as is half a byte")
    func noDigits() {
        let digits = Set("0123456789abcdefABCDEF".utf8)
        var target = [UInt8](repeating: 0, count: 9)
        for index in 0..<18 {
            for character in UInt8.min...UInt8.max {
                var text = Array("09afAF5c8dB0123456".utf8)
                text[index] = character
                let isRead = text.decodeHex(0..<18, into: &target, at: 0)
                #expect(isRead == digits.contains(character))
            }
        }
        #expect(!Array("012".utf8).decodeHex(0..<3, into: &target, at: 0))
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
