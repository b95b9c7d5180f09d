public import Bytes

/// What Azure's paravisor says of itself and its vTPM: the JSON text of an ``HCLReport``.
///
/// Members that are not known here are passed over: the text is believed as a whole or not at all, and
/// newer paravisors add some.
public struct HCLRuntimeData: Sendable, Equatable {
    /// An RSA key in the form of RFC 7518, section 6.3.1.
    public struct RSAKey: Sendable, Equatable {
        /// n, big-endian.
        public let modulus: [UInt8]
        /// e, big-endian.
        public let exponent: [UInt8]
    }

    /// HCLAkPub: the key of the vTPM at handle 0x81000003, which signs quotes.
    public let attestationKey: RSAKey
    /// HCLEkPub: the endorsement key of the vTPM; nil where it is not given.
    public let endorsementKey: RSAKey?
    /// vm-configuration: what the paravisor was told.
    public let configuration: HCLConfiguration
    /// user-data: what stood in NV index 0x01400002; nil where it is not given.
    public let userData: FixedBytes<64>?

    /// Reads exactly one JSON object.
    public init(parsing text: [UInt8]) throws(ParseError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONReader.parse(
                text,
                limits: JSONReader.Limits(
                    byteCount: HCLReport.maximumByteCount, depth: 8, values: 512))
        } catch {
            throw .invalid(field: "VAR_DATA", rule: "must be JSON, \(error)")
        }
        guard let keys = value["keys"]?.array else {
            throw .invalid(field: "keys", rule: "must be an array")
        }
        guard let own = try Self.key("HCLAkPub", operation: "sign", in: keys) else {
            throw .invalid(field: "keys", rule: "must hold HCLAkPub")
        }
        attestationKey = own
        endorsementKey = try Self.key("HCLEkPub", operation: "encrypt", in: keys)
        guard let configuration = value["vm-configuration"] else {
            throw .invalid(field: "vm-configuration", rule: "must be an object")
        }
        self.configuration = try HCLConfiguration(configuration)
        userData = try Self.userData(value["user-data"])
    }

    private static func userData(_ value: JSONValue?) throws(ParseError) -> FixedBytes<64>? {
        guard let value else { return nil }
        guard let data = value.string.flatMap({ FixedBytes<64>(hex: $0) }) else {
            throw .invalid(field: "user-data", rule: "must be 128 hexadecimal digits")
        }
        return data
    }

    /// The one key of this name; nil where there is none.
    private static func key(
        _ name: String, operation: String, in keys: [JSONValue]
    ) throws(ParseError) -> RSAKey? {
        let named = keys.filter { $0["kid"]?.string == name }
        guard let key = named.first else { return nil }
        guard named.count == 1 else {
            throw .invalid(field: "keys", rule: "\(name) must be there once")
        }
        guard key["kty"]?.string == "RSA" else {
            throw .invalid(field: "\(name).kty", rule: "must be RSA")
        }
        guard key["key_ops"]?.array == [.string(operation)] else {
            throw .invalid(field: "\(name).key_ops", rule: "must be [\"\(operation)\"]")
        }
        guard let modulus = key["n"]?.string.flatMap(Self.unpadded), !modulus.isEmpty,
            let exponent = key["e"]?.string.flatMap(Self.unpadded), !exponent.isEmpty
        else {
            throw .invalid(field: name, rule: "n and e must be base64url without padding")
        }
        return RSAKey(modulus: modulus, exponent: exponent)
    }

    /// base64url of RFC 7515, appendix C: no padding, one form for each value.
    private static func unpadded(_ text: String) -> [UInt8]? {
        guard !text.utf8.contains(where: { "+/=".utf8.contains($0) }) else { return nil }
        let standard = text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        let padding = String(repeating: "=", count: (4 - standard.count % 4) % 4)
        return Base64.decode(String(decoding: standard, as: UTF8.self) + padding)
    }
}

/// How a VM behind Azure's paravisor is set up: `vm-configuration`.
public struct HCLConfiguration: Sendable, Equatable {
    /// console-enabled: the host sees a serial console.
    public let hasConsole: Bool?
    /// secure-boot: the virtual firmware checks signatures.
    public let hasSecureBoot: Bool?
    /// tpm-enabled: there is a vTPM.
    public let hasTPM: Bool?
    /// tpm-persisted: the vTPM's state outlives a stop.
    public let isTPMPersisted: Bool?
    /// vmUniqueId: the VM's id, as the host says.
    public let vmID: String?
    /// root-cert-thumbprint, as the host says.
    public let rootThumbprint: String?

    init(_ value: JSONValue) throws(ParseError) {
        guard value.members != nil else {
            throw .invalid(field: "vm-configuration", rule: "must be an object")
        }
        hasConsole = try Self.flag(value, "console-enabled")
        hasSecureBoot = try Self.flag(value, "secure-boot")
        hasTPM = try Self.flag(value, "tpm-enabled")
        isTPMPersisted = try Self.flag(value, "tpm-persisted")
        vmID = try Self.text(value, "vmUniqueId")
        rootThumbprint = try Self.text(value, "root-cert-thumbprint")
    }

    private static func flag(_ value: JSONValue, _ name: String) throws(ParseError) -> Bool? {
        switch value[name] {
        case nil: return nil
        case .boolean(let flag): return flag
        default: throw .invalid(field: name, rule: "must be true or false")
        }
    }

    private static func text(_ value: JSONValue, _ name: String) throws(ParseError) -> String? {
        guard let member = value[name] else { return nil }
        guard let text = member.string, text.utf8.count <= 256 else {
            throw .invalid(field: name, rule: "must be a text of at most 256 bytes")
        }
        return text
    }
}
