import Bytes
import OpenSSL

/// What Azure's paravisor leaves in NV index 0x01400001 of its vTPM.
///
/// Layout: `az-cvm-vtpm` of azure-cvm-tooling; little-endian. A header of 32 bytes, the hardware report in
/// 1184, runtime data from 0x4c0, zeros up to the size of the index.
struct HCLReportWriter {
    /// The least that the index holds, in bytes.
    static let indexSize = 2600
    private static let dataStart = 0x4d4

    var version: UInt32 = 1
    /// JSON, exactly as it is hashed.
    var variableData: [UInt8]

    /// REPORT_DATA of the hardware report: SHA-256 of the JSON, and zeros.
    var reportData: [UInt8] {
        OpenSSLHashing().sha256(variableData).bytes + [UInt8](repeating: 0, count: 32)
    }

    /// The blob around an SNP report of 1184 bytes or a TDREPORT of 1024.
    func report(hardware: [UInt8], isTDX: Bool) -> [UInt8] {
        var report = ByteWriter()
        report.raw(Array("HCLA".utf8))
        report.littleEndian(version)
        report.littleEndian(UInt32(Self.dataStart + variableData.count))
        report.littleEndian(UInt32(2))  // REQUEST_TYPE: report
        report.zeros(4 + 12)
        report.raw(hardware)
        report.zeros(0x4c0 - report.bytes.count)
        report.littleEndian(UInt32(20 + variableData.count))
        report.littleEndian(UInt32(1))
        report.littleEndian(UInt32(isTDX ? 4 : 2))  // REPORT_TYPE
        report.littleEndian(UInt32(1))  // HASH_TYPE: SHA-256
        report.littleEndian(UInt32(variableData.count))
        report.raw(variableData)
        report.zeros(max(0, Self.indexSize - report.bytes.count))
        return report.bytes
    }
}

/// The JSON with the vTPM's keys and the VM's configuration.
struct HCLRuntimeText {
    var attestationKey: VerificationKey
    var endorsementKey: VerificationKey
    var hasSecureBoot = true
    var vmID = "00000000-0000-4000-8000-000000000001"
    /// What stands in NV index 0x01400002.
    var userData = FixedBytes<64>()

    /// The text; both keys have to be RSA.
    func json() throws(PSPFault) -> [UInt8] {
        let keys = [
            JSONText.Value.object(try Self.key("HCLAkPub", "sign", attestationKey)),
            .object(try Self.key("HCLEkPub", "encrypt", endorsementKey)),
        ]
        let configuration: [(String, JSONText.Value)] = [
            ("console-enabled", .boolean(true)), ("secure-boot", .boolean(hasSecureBoot)),
            ("tpm-enabled", .boolean(true)), ("vmUniqueId", .string(vmID)),
        ]
        let text = JSONText.object([
            ("keys", .array(keys)), ("vm-configuration", .object(configuration)),
            ("user-data", .string(userData.hex.uppercased())),
        ])
        return Array(text.utf8)
    }

    /// A key of RFC 7517.
    private static func key(
        _ name: String, _ operation: String, _ key: VerificationKey
    ) throws(PSPFault) -> [(String, JSONText.Value)] {
        guard case .rsa = key.kind else {
            throw .unusable("\(name): expected an RSA key, as Azure's vTPM has it")
        }
        let modulus: [UInt8]
        let exponent: [UInt8]
        do throws(ParseError) {
            // SEQUENCE, AlgorithmIdentifier of rsaEncryption, head of the BIT STRING: 4, 15 and 5
            // bytes for every modulus of 2048 bits and more.
            var reader = DERReader(key.subjectPublicKeyInfo.dropFirst(24))
            var numbers = try reader.element(.sequence, "RSAPublicKey")
            modulus = try numbers.bytes(.integer, "modulus")
            exponent = try numbers.bytes(.integer, "exponent")
        } catch {
            throw .unusable("\(name): \(error)")
        }
        return [
            ("kid", .string(name)), ("key_ops", .array([.string(operation)])), ("kty", "RSA"),
            ("e", .string(base64(exponent))), ("n", .string(base64(modulus))),
        ]
    }

    /// base64url of a number, without leading zeros and padding.
    private static func base64(_ number: [UInt8]) -> String {
        let text = Base64.encode(Array(number.drop { $0 == 0 }))
        return String(
            text.compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}
