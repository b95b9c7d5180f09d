/// Hexadecimal digits, eight at once.
extension Array<UInt8> {
    /// Writes the bytes that the digits of `range`, of either case, stand for to `target` from `start` on; false
    /// for an odd number of them or another character, and what was written then is of no use.
    ///
    /// Ranges have to be within the arrays; one that is not traps.
    public func decodeHex(_ range: Range<Int>, into target: inout [UInt8], at start: Int) -> Bool {
        guard range.count.isMultiple(of: 2) else { return false }
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        precondition(start >= 0 && start <= target.count - range.count / 2)
        return unsafe withUnsafeBytes { source in
            unsafe target.withUnsafeMutableBytes { target in
                var wrong: UInt64 = 0
                var from = range.lowerBound
                var to = start
                while from + 8 <= range.upperBound {
                    let digits = HexDigits(
                        unsafe source.loadUnaligned(fromByteOffset: from, as: UInt64.self))
                    wrong |= digits.wrong
                    unsafe target.storeBytes(of: digits.value, toByteOffset: to, as: UInt32.self)
                    from += 8
                    to += 4
                }
                while from < range.upperBound {
                    // Zeros in front count for nothing.
                    let pair = unsafe UInt64(source[from]) << 48 | UInt64(source[from + 1]) << 56
                    let digits = HexDigits(littleEndian: pair | 0x0000_3030_3030_3030)
                    wrong |= digits.wrong
                    unsafe target[to] = UInt8(UInt32(littleEndian: digits.value) >> 24)
                    from += 2
                    to += 1
                }
                return wrong == 0
            }
        }
    }
}

/// Eight digits as they lie in memory.
private struct HexDigits {
    /// Not zero where a character is no digit.
    let wrong: UInt64
    /// The four bytes as they are to lie in memory.
    let value: UInt32

    init(_ memory: UInt64) {
        self.init(littleEndian: UInt64(littleEndian: memory))
    }

    /// The first character in the lowest byte.
    init(littleEndian characters: UInt64) {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let letters = (characters >> 6) & ones
        let values = (characters & (0x0f * ones)) + 9 * letters
        // What the values are written as has to be what was there; 16 to 24 are letters behind F.
        let beyond9 = ((values + 6 * ones) >> 4) & ones
        let lowerCase = values + 0x30 * ones + 0x27 * beyond9
        wrong = (lowerCase ^ (characters | letters << 5)) | (values & (0xf0 * ones))
        var bytes = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff
        bytes = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff
        value = UInt32(truncatingIfNeeded: bytes | bytes >> 16).littleEndian
    }
}
