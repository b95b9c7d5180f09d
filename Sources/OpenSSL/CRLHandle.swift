internal import COpenSSL

/// Owns one `X509_CRL`. OpenSSL sorts its entries at the first look-up, under a lock of its own;
/// nothing else about it changes once it is parsed.
@safe final class CRLHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over `pointer`.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe X509_CRL_free(pointer)
    }

    /// DER of the whole. `anew` encodes what was parsed and gives up the bytes it was parsed from, so
    /// that a signature can no longer be checked with this handle.
    func encoded(anew: Bool = false) -> [UInt8] {
        if anew, unsafe i2d_re_X509_CRL_tbs(pointer, nil) <= 0 { return [] }
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509_CRL(pointer, &start)
        defer { unsafe CRYPTO_free(start, nil, 0) }
        guard count > 0 else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    var issuerCommonName: String {
        unsafe CertificateHandle.commonName(X509_CRL_get_issuer(pointer))
    }

    var thisUpdate: Int64? {
        var seconds: Int64 = 0
        let time = unsafe X509_CRL_get0_lastUpdate(pointer)
        guard unsafe time != nil, unsafe bootgate_unix_time(time, &seconds) == 1 else {
            ERR_clear_error()
            return nil
        }
        return seconds
    }

    var nextUpdate: Int64? {
        var seconds: Int64 = 0
        let time = unsafe X509_CRL_get0_nextUpdate(pointer)
        guard unsafe time != nil, unsafe bootgate_unix_time(time, &seconds) == 1 else {
            ERR_clear_error()
            return nil
        }
        return seconds
    }

    var entryCount: Int {
        let entries = unsafe X509_CRL_get_REVOKED(pointer)
        return unsafe entries == nil ? 0 : Int(bootgate_sk_X509_REVOKED_num(entries))
    }

    /// What forbids the use of the list, of its own extensions and of those of every entry.
    var extensionFault: X509Error.RevocationListFault? {
        let count = unsafe X509_CRL_get_ext_count(pointer)
        for index in 0..<max(count, 0) {
            guard let item = unsafe X509_CRL_get_ext(pointer, index) else { continue }
            let object = unsafe X509_EXTENSION_get_object(item)
            if unsafe X509_CRL_get_ext_by_OBJ(pointer, object, -1) != index {
                return unsafe .repeatedExtension(oid: CertificateHandle.dottedNumbers(object))
            }
            if let fault = unsafe fault(of: item, object) { return fault }
        }
        for index in 0..<entryCount {
            let entry = unsafe bootgate_sk_X509_REVOKED_value(
                X509_CRL_get_REVOKED(pointer), Int32(index))
            if let entry = unsafe entry, let fault = unsafe Self.fault(ofEntry: entry) {
                return fault
            }
        }
        return nil
    }

    private func fault(
        of item: OpaquePointer, _ object: OpaquePointer?
    ) -> X509Error.RevocationListFault? {
        let oid = unsafe CertificateHandle.dottedNumbers(object)
        switch unsafe OBJ_obj2nid(object) {
        case NID_delta_crl:
            return .partial(oid: oid)
        case NID_issuing_distribution_point:
            let value = unsafe X509_CRL_get_ext_d2i(
                pointer, NID_issuing_distribution_point, nil, nil)
            guard let value = unsafe value else {
                return .malformed(OpenSSLFault("X509_CRL_get_ext_d2i"))
            }
            let point = unsafe value.assumingMemoryBound(to: ISSUING_DIST_POINT.self)
            defer { unsafe ISSUING_DIST_POINT_free(point) }
            return unsafe bootgate_ISSUING_DIST_POINT_is_partial(point) == 1
                ? .partial(oid: oid) : nil
        case NID_crl_number, NID_authority_key_identifier:
            return nil
        default:
            return unsafe X509_EXTENSION_get_critical(item) == 1
                ? .criticalExtension(oid: oid) : nil
        }
    }

    private static func fault(ofEntry entry: OpaquePointer) -> X509Error.RevocationListFault? {
        let count = unsafe X509_REVOKED_get_ext_count(entry)
        for index in 0..<max(count, 0) {
            guard let item = unsafe X509_REVOKED_get_ext(entry, index) else { continue }
            let object = unsafe X509_EXTENSION_get_object(item)
            if unsafe X509_REVOKED_get_ext_by_OBJ(entry, object, -1) != index {
                return unsafe .repeatedExtension(oid: CertificateHandle.dottedNumbers(object))
            }
            switch unsafe OBJ_obj2nid(object) {
            case NID_certificate_issuer:
                return unsafe .partial(oid: CertificateHandle.dottedNumbers(object))
            case NID_crl_reason, NID_invalidity_date:
                continue
            default:
                guard unsafe X509_EXTENSION_get_critical(item) == 1 else { continue }
                return unsafe .criticalExtension(oid: CertificateHandle.dottedNumbers(object))
            }
        }
        return nil
    }
}
