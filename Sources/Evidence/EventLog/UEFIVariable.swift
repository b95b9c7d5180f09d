import Bytes

/// UEFI_VARIABLE_DATA: what is hashed for a variable (PFP, section 10.4.2).
///
/// GUID 16 bytes, count of name characters and of data bytes 8 bytes each, name in UTF-16, data;
/// integers are little-endian.
struct UEFIVariable: Equatable {
    /// Whose variable it is, in the byte order of the structure.
    let vendor: FixedBytes<16>
    /// The name.
    let name: String
    /// The contents.
    let data: [UInt8]

    /// EFI_GLOBAL_VARIABLE (UEFI 2.10, section 3.3).
    static let global = "61dfe48bca93d211aa0d00e098032b8c"
    /// EFI_IMAGE_SECURITY_DATABASE_GUID (UEFI 2.10, section 32.6.1).
    static let imageSecurity = "cbb219d73a3d9645a3bcdad00e67656f"

    /// Reads exactly one structure, with at most `slack` bytes behind it.
    init(parsing bytes: [UInt8], slack: Int = 0) throws(ParseError) {
        self = try bytes.parse("UEFI_VARIABLE_DATA") { reader throws(ParseError) in
            let vendor = try reader.fixed("VariableName", as: FixedBytes<16>.self)
            let characters = try reader.littleEndian("UnicodeNameLength", as: UInt64.self)
            let byteCount = try reader.littleEndian("VariableDataLength", as: UInt64.self)
            // Longer names than the longest in use are no names.
            guard characters <= 512 else {
                throw .outOfRange(field: "UnicodeNameLength", value: characters)
            }
            let name = try reader.bytes("UnicodeName", count: 2 * Int(characters))
            guard byteCount <= UInt64(reader.remaining) else {
                throw .outOfRange(field: "VariableDataLength", value: byteCount)
            }
            guard let text = String(utf16LittleEndian: name) else {
                throw .invalid(field: "UnicodeName", rule: "must be UTF-16")
            }
            let data = try reader.bytes("VariableData", count: Int(byteCount))
            if reader.remaining <= slack {
                try reader.skip("slack", count: reader.remaining)
            }
            return UEFIVariable(vendor: vendor, name: text, data: data)
        }
    }

    private init(vendor: FixedBytes<16>, name: String, data: [UInt8]) {
        self.vendor = vendor
        self.name = name
        self.data = data
    }

    /// The X.509 certificates, DER, in a database of EFI_SIGNATURE_LISTs (UEFI 2.10, section 32.4.1);
    /// nil where the data is no such database.
    var certificates: [[UInt8]]? {
        var certificates: [[UInt8]] = []
        do throws(ParseError) {
            var reader = unsafe ByteReader(data.span.bytes)
            while reader.remaining > 0 {
                let type = try reader.fixed("SignatureType", as: FixedBytes<16>.self)
                let size = Int(try reader.littleEndian("SignatureListSize", as: UInt32.self))
                let headerSize = Int(
                    try reader.littleEndian("SignatureHeaderSize", as: UInt32.self))
                let each = Int(try reader.littleEndian("SignatureSize", as: UInt32.self))
                guard size >= 28, each > 16, headerSize <= size - 28,
                    (size - 28 - headerSize).isMultiple(of: each)
                else { return nil }
                try reader.skip("SignatureHeader", count: headerSize)
                for _ in 0..<(size - 28 - headerSize) / each {
                    try reader.skip("SignatureOwner", count: 16)
                    let data = try reader.bytes("SignatureData", count: each - 16)
                    if type.hex == Self.x509 { certificates.append(data) }
                }
            }
        } catch { return nil }
        return certificates
    }

    /// EFI_CERT_X509_GUID.
    private static let x509 = "a159c0a5e494a74a87b5ab155c2bf072"
}

extension String {
    /// Text of UTF-16, little-endian, without a byte order mark; nil where it is none.
    init?(utf16LittleEndian bytes: [UInt8]) {
        guard bytes.count.isMultiple(of: 2) else { return nil }
        let units = stride(from: 0, to: bytes.count, by: 2).map {
            UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
        }
        guard let text = String(validating: units, as: UTF16.self) else { return nil }
        self = text
    }
}
