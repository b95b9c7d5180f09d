import Bytes

/// Makes the bytes of a report of Azure's paravisor; every field may be set, also to nonsense.
public struct HCLReportBuilder: Sendable {
    /// `HCLA`.
    public var signature = Array("HCLA".utf8)
    /// Of the header.
    public var version: UInt32 = 2
    /// Nil for the right one.
    public var reportSize: UInt32?
    /// 2.
    public var requestType: UInt32 = 2
    /// 0.
    public var status: UInt32 = 0
    /// Twelve reserved bytes.
    public var reserved = [UInt8](repeating: 0, count: 12)
    /// At most 1184 bytes.
    public var hardware: [UInt8]
    /// Nil for the right one.
    public var dataSize: UInt32?
    /// 1.
    public var dataVersion: UInt32 = 1
    /// 2 for SNP, 4 for TDX.
    public var reportType: UInt32
    /// 1 for SHA-256.
    public var hashType: UInt32 = 1
    /// Nil for the right one.
    public var variableSize: UInt32?
    /// The JSON text.
    public var text: [UInt8]
    /// Zeros up to the size of the index.
    public var rest = [UInt8](repeating: 0, count: 64)

    /// A well-formed report around `hardware`.
    public init(hardware: [UInt8], reportType: UInt32 = 2, text: [UInt8]) {
        self.hardware = hardware
        self.reportType = reportType
        self.text = text
    }

    /// The contents of the NV index.
    public var bytes: [UInt8] {
        let size = UInt32(text.count)
        var writer = ByteWriter()
        writer.raw(signature)
        writer.littleEndian(version)
        writer.littleEndian(reportSize ?? size + 20 + 1216)
        writer.littleEndian(requestType)
        writer.littleEndian(status)
        writer.raw(reserved)
        writer.raw(hardware)
        writer.zeros(max(0, 1184 - hardware.count))
        writer.littleEndian(dataSize ?? size + 20)
        writer.littleEndian(dataVersion)
        writer.littleEndian(reportType)
        writer.littleEndian(hashType)
        writer.littleEndian(variableSize ?? size)
        writer.raw(text)
        writer.raw(rest)
        return writer.bytes
    }

    /// The same report after `change`.
    public func with(_ change: (inout HCLReportBuilder) -> Void) -> HCLReportBuilder {
        var copy = self
        change(&copy)
        return copy
    }

    /// Runtime data with one key and user data, as a paravisor writes it.
    ///
    /// - Parameters:
    ///   - modulus: base64url without padding.
    ///   - userData: 128 hexadecimal digits.
    public static func text(modulus: String, userData: String) -> [UInt8] {
        let text = """
            {"keys":[{"kid":"HCLAkPub","key_ops":["sign"],"kty":"RSA","e":"AQAB","n":"\(modulus)"}],\
            "vm-configuration":{"console-enabled":true,"secure-boot":true,"tpm-enabled":true,\
            "vmUniqueId":"00000000-0000-0000-0000-000000000000"},"user-data":"\(userData)"}
            """
        return Array(text.utf8)
    }
}
