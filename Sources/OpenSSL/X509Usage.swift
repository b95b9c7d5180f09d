public import Bytes
internal import COpenSSL

extension X509Certificate {
    /// What the subject's key may be used for: bits of RFC 5280, section 4.2.1.3.
    public struct KeyUsage: OptionSet, Sendable, Hashable {
        /// As libcrypto numbers them: bit 7 is digitalSignature.
        public let rawValue: UInt32

        /// Takes the bits as they are.
        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// digitalSignature.
        public static let digitalSignature = KeyUsage(rawValue: UInt32(KU_DIGITAL_SIGNATURE))
        /// keyEncipherment.
        public static let keyEncipherment = KeyUsage(rawValue: UInt32(KU_KEY_ENCIPHERMENT))
        /// keyAgreement.
        public static let keyAgreement = KeyUsage(rawValue: UInt32(KU_KEY_AGREEMENT))
        /// keyCertSign.
        public static let certificateSign = KeyUsage(rawValue: UInt32(KU_KEY_CERT_SIGN))
    }

    /// The key usage; nil where the extension is absent.
    public var keyUsage: KeyUsage? {
        guard unsafe X509_get_extension_flags(handle.pointer) & UInt32(EXFLAG_KUSAGE) != 0 else {
            return nil
        }
        return unsafe KeyUsage(rawValue: X509_get_key_usage(handle.pointer))
    }

    /// The purposes of the extended key usage, dotted numbers; nil where the extension is absent, empty
    /// where it cannot be read.
    public var extendedKeyUsage: [String]? {
        guard let value = extensionValue(oid: "2.5.29.37") else { return nil }
        return unsafe value.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            guard let list = unsafe d2i_EXTENDED_KEY_USAGE(nil, &next, buffer.count) else {
                ERR_clear_error()
                return []
            }
            defer { unsafe EXTENDED_KEY_USAGE_free(list) }
            return unsafe (0..<OPENSSL_sk_num(list)).map { index in
                var text = [CChar](repeating: 0, count: 128)
                let object = unsafe OpaquePointer(OPENSSL_sk_value(list, index))
                let count = unsafe OBJ_obj2txt(&text, Int32(text.count), object, 1)
                return String(
                    decoding: text.prefix(max(0, min(Int(count), 127))).map(
                        UInt8.init(bitPattern:)), as: UTF8.self)
            }
        }
    }

    /// How many further issuers may stand below this one; nil where basic constraints set no limit.
    public var pathLength: Int? {
        let length = unsafe X509_get_pathlen(handle.pointer)
        return length < 0 ? nil : length
    }

    /// The critical extensions besides basic constraints and key usage, dotted numbers. Only a reader
    /// that heeds each of them may go on (RFC 5280, section 4.2).
    public var otherCriticalExtensions: [String] {
        handle.criticalExtensions.filter { $0 != "2.5.29.15" && $0 != "2.5.29.19" }
    }

    /// Why the certificate may not sign others, `depth` of which may be issuers themselves; empty where
    /// it may by basic constraints and key usage, both of which it must have.
    public func issuerFaults(depth: Int) -> [String] {
        var faults: [String] = []
        if !basicConstraintsCA { faults.append("no CA by its basic constraints") }
        if keyUsage?.contains(.certificateSign) != true {
            faults.append("no keyCertSign in its key usage")
        }
        if let pathLength, pathLength < depth {
            faults.append("path length \(pathLength), needs \(depth)")
        }
        return faults
    }

    /// Whether an extension is critical that libcrypto does not know, or one is malformed.
    public var hasUnreadableExtension: Bool {
        let flags = unsafe X509_get_extension_flags(handle.pointer)
        return flags & UInt32(EXFLAG_CRITICAL | EXFLAG_INVALID) != 0
    }

    /// The hash function of the signature; nil for one that is none of ours.
    public var signatureHash: HashAlgorithm? {
        var digest: Int32 = 0
        let known = unsafe X509_get_signature_info(handle.pointer, &digest, nil, nil, nil)
        ERR_clear_error()
        guard known == 1 else { return nil }
        switch digest {
        case NID_sha1: return .sha1
        case NID_sha256: return .sha256
        case NID_sha384: return .sha384
        case NID_sha512: return .sha512
        default: return nil
        }
    }
}
