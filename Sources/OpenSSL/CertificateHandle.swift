import Bytes
internal import COpenSSL

/// Owns one `X509`, which nobody changes once it is parsed; OpenSSL locks its own caches.
@safe final class CertificateHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over `pointer`.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe X509_free(pointer)
    }

    /// DER of the whole, encoded anew.
    var encoded: [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509(pointer, &start)
        defer { unsafe CRYPTO_free(start, nil, 0) }
        guard count > 0 else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    var subjectCommonName: String {
        unsafe Self.commonName(X509_get_subject_name(pointer))
    }

    var issuerCommonName: String {
        unsafe Self.commonName(X509_get_issuer_name(pointer))
    }

    var serialHex: String {
        unsafe Self.hex(X509_get0_serialNumber(pointer))
    }

    var validity: (notBefore: Int64, notAfter: Int64)? {
        var notBefore: Int64 = 0
        var notAfter: Int64 = 0
        guard unsafe bootgate_unix_time(X509_get0_notBefore(pointer), &notBefore) == 1,
            unsafe bootgate_unix_time(X509_get0_notAfter(pointer), &notAfter) == 1
        else { return nil }
        return (notBefore, notAfter)
    }

    /// DER SubjectPublicKeyInfo, as it stands in the certificate.
    var publicKeyInfo: [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), &start)
        defer { unsafe CRYPTO_free(start, nil, 0) }
        guard count > 0 else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    var publicKeyInfoDigest: FixedBytes<32>? {
        var digest = [UInt8](repeating: 0, count: 32)
        guard unsafe bootgate_certificate_key_digest(pointer, &digest) == 1 else { return nil }
        return FixedBytes(digest)
    }

    /// The first extension that is there twice; which of the two would count is anybody's guess.
    var repeatedExtension: String? {
        for index in unsafe 0..<X509_get_ext_count(pointer) {
            let object = unsafe X509_EXTENSION_get_object(X509_get_ext(pointer, index))
            guard unsafe X509_get_ext_by_OBJ(pointer, object, -1) != index else { continue }
            return unsafe Self.dottedNumbers(object)
        }
        return nil
    }

    var criticalExtensions: [String] {
        var critical: [String] = []
        for index in unsafe 0..<X509_get_ext_count(pointer) {
            guard let item = unsafe X509_get_ext(pointer, index),
                unsafe X509_EXTENSION_get_critical(item) == 1
            else { continue }
            critical.append(unsafe Self.dottedNumbers(X509_EXTENSION_get_object(item)))
        }
        return critical
    }

    func extensionValue(oid: String) -> [UInt8]? {
        guard let object = unsafe OBJ_txt2obj(oid, 1) else {
            ERR_clear_error()
            return nil
        }
        defer { unsafe ASN1_OBJECT_free(object) }
        let index = unsafe X509_get_ext_by_OBJ(pointer, object, -1)
        guard index >= 0,
            let value = unsafe X509_EXTENSION_get_data(X509_get_ext(pointer, index))
        else { return nil }
        return unsafe Array(
            UnsafeBufferPointer(
                start: ASN1_STRING_get0_data(value), count: Int(ASN1_STRING_length(value))))
    }

    /// A serial number in lower-case hexadecimal digits, without leading zeros but of whole bytes.
    static func hex(_ serial: UnsafePointer<ASN1_INTEGER>?) -> String {
        guard let number = unsafe ASN1_INTEGER_to_BN(serial, nil) else { return "" }
        defer { unsafe BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: Int((unsafe BN_num_bits(number) + 7) / 8))
        _ = unsafe BN_bn2bin(number, &bytes)
        return bytes.isEmpty ? "00" : Hex.encode(bytes)
    }

    /// An object identifier as dotted numbers.
    static func dottedNumbers(_ object: OpaquePointer?) -> String {
        var text = [CChar](repeating: 0, count: 128)
        let count = unsafe OBJ_obj2txt(&text, Int32(text.count), object, 1)
        return String(
            decoding: text.prefix(max(0, min(Int(count), 127))).map(UInt8.init(bitPattern:)),
            as: UTF8.self)
    }

    /// The name as an owner may see it: text from a stranger, so control characters are shown as `?`.
    static func commonName(_ name: OpaquePointer?) -> String {
        let index = unsafe X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        guard index >= 0 else { return "" }
        let value = unsafe X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index))
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&start, value)
        defer { unsafe CRYPTO_free(start, nil, 0) }
        guard count > 0 else {
            ERR_clear_error()
            return ""
        }
        let text = unsafe String(
            decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.properties.generalCategory == .control ? "?" : $0
                }))
    }
}
