/// Whole blocks of bytes at once, for logs of hundreds of thousands of short entries.
///
/// Ranges have to be within the arrays; one that is not traps.
extension Array<UInt8> {
    /// The first place of `byte` in `range`.
    public func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let pattern = ones &* UInt64(byte)
        return unsafe withUnsafeBytes { buffer in
            var offset = range.lowerBound
            while offset + 8 <= range.upperBound {
                let word = unsafe UInt64(
                    littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                let difference = word ^ pattern
                // The lowest high bit that is set marks the first byte without a difference.
                let marks = (difference &- ones) & ~difference & (ones << 7)
                if marks != 0 { return offset + marks.trailingZeroBitCount / 8 }
                offset += 8
            }
            while offset < range.upperBound {
                if unsafe buffer[offset] == byte { return offset }
                offset += 1
            }
            return nil
        }
    }

    /// Whether the bytes of `range` are those of `other` from `start` on.
    public func isEqual(_ range: Range<Int>, to other: [UInt8], at start: Int) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        precondition(start >= 0 && start <= other.count - range.count)
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                var offset = 0
                while offset + 8 <= range.count {
                    let one = unsafe left.loadUnaligned(
                        fromByteOffset: range.lowerBound + offset, as: UInt64.self)
                    let two = unsafe right.loadUnaligned(
                        fromByteOffset: start + offset, as: UInt64.self)
                    if one != two { return false }
                    offset += 8
                }
                while offset < range.count {
                    if unsafe left[range.lowerBound + offset] != right[start + offset] {
                        return false
                    }
                    offset += 1
                }
                return true
            }
        }
    }

    /// Whether every byte of `range` is printable ASCII and no space.
    public func isGraphic(_ range: Range<Int>) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highBits = ones << 7
        return unsafe withUnsafeBytes { buffer in
            var offset = range.lowerBound
            while offset + 8 <= range.upperBound {
                let word = unsafe buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                // Adding brings 0x21 and more up to the high bit, and of these 0x7f alone with one.
                let isFromExclamationMark = word &+ 0x5f * ones
                let isDelete = word &+ ones
                if (~isFromExclamationMark | isDelete | word) & highBits != 0 { return false }
                offset += 8
            }
            while offset < range.upperBound {
                if unsafe buffer[offset] &- 0x21 > 0x5d { return false }
                offset += 1
            }
            return true
        }
    }

    /// Overwrites from `start` on with the bytes of `range` of `source`.
    public mutating func overwrite(at start: Int, with source: [UInt8], _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= source.count)
        precondition(start >= 0 && start <= count - range.count)
        unsafe withUnsafeMutableBufferPointer { target in
            unsafe source.withUnsafeBufferPointer { source in
                guard let to = target.baseAddress, let from = source.baseAddress else { return }
                unsafe (to + start).update(from: from + range.lowerBound, count: range.count)
            }
        }
    }

    /// A number that depends on `seed` and all bytes of `range`, quickly made; no cryptographic hash.
    public func mixed(_ range: Range<Int>, seed: UInt64) -> UInt64 {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return unsafe withUnsafeBytes { buffer in
            var value = seed ^ UInt64(range.count)
            var offset = range.lowerBound
            while offset + 8 <= range.upperBound {
                value ^= unsafe buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                value = Self.fold(value)
                offset += 8
            }
            var rest: UInt64 = 0
            while offset < range.upperBound {
                rest = rest << 8 | UInt64(unsafe buffer[offset])
                offset += 1
            }
            return Self.fold(value ^ rest ^ 0x9e37_79b9_7f4a_7c15)
        }
    }

    /// Both halves of a product of 128 bits, so that each bit reaches all others.
    private static func fold(_ value: UInt64) -> UInt64 {
        let (high, low) = value.multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
        return high ^ low
    }
}
