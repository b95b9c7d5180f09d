public import Bytes

/// A signed document: Dead Simple Signing Envelope, version 1 (github.com/secure-systems-lab/dsse, envelope.md).
public struct DSSEEnvelope: Sendable, Equatable {
    /// What Keylime calls its runtime policies.
    public static let keylimePolicy = "application/vnd.keylime+json"

    /// What the payload is.
    public let payloadType: String
    /// The document.
    public let payload: [UInt8]
    /// The signatures; names of keys are hints, so they are not kept.
    public let signatures: [[UInt8]]

    /// Reads one envelope with 1 to 16 signatures.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONReader.parse(
                bytes,
                limits: JSONReader.Limits(
                    byteCount: 2 * IMARuntimePolicy.maximumByteCount, depth: 4, values: 128))
        } catch {
            throw .invalid(field: "envelope", rule: "must be JSON: \(error)")
        }
        guard let type = value["payloadType"]?.string, !type.isEmpty else {
            throw .invalid(field: "payloadType", rule: "must be there")
        }
        guard let payload = value["payload"]?.string.flatMap({ Base64.decode($0) }) else {
            throw .invalid(field: "payload", rule: "must be base64")
        }
        guard let elements = value["signatures"]?.array, (1...16).contains(elements.count) else {
            throw .invalid(field: "signatures", rule: "must be 1 to 16")
        }
        var signatures: [[UInt8]] = []
        for element in elements {
            guard let signature = element["sig"]?.string.flatMap({ Base64.decode($0) }) else {
                throw .invalid(field: "sig", rule: "must be base64")
            }
            signatures.append(signature)
        }
        payloadType = type
        self.payload = payload
        self.signatures = signatures
    }

    /// What is signed: the pre-authentication encoding of type and payload.
    public var signedBytes: [UInt8] {
        Array("DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8) + payload
    }
}
