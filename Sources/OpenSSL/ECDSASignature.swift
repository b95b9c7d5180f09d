internal import COpenSSL

/// The two shapes of an ECDSA signature: two numbers of fixed size, and DER as OpenSSL wants it.
enum ECDSASignature {
    /// DER of two big-endian numbers; nil unless both have `size` bytes, of which there are at most 66.
    static func der(r: [UInt8], s: [UInt8], size: Int) -> [UInt8]? {
        guard r.count == size, s.count == size, size <= 66 else { return nil }
        var numbers: [UInt8] = []
        numbers.reserveCapacity(2 * size + 6)
        for number in [r, s] {
            let digits = number[(number.firstIndex { $0 != 0 } ?? size - 1)...]
            let isPadded = digits.first.map { $0 >= 0x80 } ?? false
            numbers += [0x02, UInt8(digits.count + (isPadded ? 1 : 0))]
            if isPadded { numbers.append(0) }
            numbers += digits
        }
        let count = UInt8(numbers.count)
        return (count < 0x80 ? [0x30, count] : [0x30, 0x81, count]) + numbers
    }

    /// The two numbers of a DER signature, padded to `size` bytes.
    static func numbers(of der: [UInt8], size: Int) -> (r: [UInt8], s: [UInt8])? {
        let parsed = unsafe der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            return unsafe d2i_ECDSA_SIG(nil, &next, buffer.count)
        }
        guard let signature = unsafe parsed else { return nil }
        defer { unsafe ECDSA_SIG_free(signature) }
        var r = [UInt8](repeating: 0, count: size)
        var s = [UInt8](repeating: 0, count: size)
        guard unsafe BN_bn2binpad(ECDSA_SIG_get0_r(signature), &r, Int32(size)) == size,
            unsafe BN_bn2binpad(ECDSA_SIG_get0_s(signature), &s, Int32(size)) == size
        else { return nil }
        return (r, s)
    }
}
