internal import COpenSSL

/// The two shapes of an ECDSA signature: two numbers of fixed size, and DER as OpenSSL wants it.
enum ECDSASignature {
    /// DER of two big-endian numbers; nil unless both have `size` bytes.
    static func der(r: [UInt8], s: [UInt8], size: Int) -> [UInt8]? {
        guard r.count == size, s.count == size, let signature = unsafe ECDSA_SIG_new() else {
            return nil
        }
        defer { unsafe ECDSA_SIG_free(signature) }
        let first = unsafe BN_bin2bn(r, Int32(size), nil)
        let second = unsafe BN_bin2bn(s, Int32(size), nil)
        guard unsafe ECDSA_SIG_set0(signature, first, second) == 1 else {
            unsafe BN_free(first)
            unsafe BN_free(second)
            return nil
        }
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_ECDSA_SIG(signature, &start)
        defer { unsafe CRYPTO_free(start, nil, 0) }
        guard count > 0 else { return nil }
        return unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
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
