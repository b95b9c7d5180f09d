import Bytes
import Protocol
import Testing

@Suite struct ReleasePayloadTests {
    @Test(
        "reads a golden plaintext and writes the same", arguments: ["payload", "payload-next-key"])
    func golden(name: String) throws {
        let vector = try Vector.named(name)
        vector.expectKeys(["launch_id", "keyslot", "key", "volume_key_check", "next_key"])
        let payload = try ReleasePayload(parsing: secret(vector.bytes))
        let (launchID, keyslot) = (payload.launchID, payload.keyslot)
        #expect(launchID.hex == vector.keys["launch_id"])
        #expect("\(keyslot)" == vector.keys["keyslot"])
        let hasKey = holds(payload.key, try vector.hex("key"))
        #expect(hasKey)
        let check = payload.volumeKeyCheck
        #expect(check.hex == vector.keys["volume_key_check"])
        let next = try vector.hex("next_key")
        let hasNext =
            switch payload.nextKey {
            case .some(let key): holds(key, next)
            case .none: next.isEmpty
            }
        #expect(hasNext)
        let isSame = holds(payload.encoded(), vector.bytes)
        #expect(isSame)
    }

    @Test(
        "refuses a plaintext cut at any length, and one with a byte more",
        arguments: ["payload", "payload-next-key"])
    func truncated(name: String) throws {
        let bytes = try Vector.named(name).bytes
        for length in 0..<bytes.count {
            #expect(fault(Array(bytes[..<length])) != nil, "at \(length)")
        }
        #expect(
            fault(bytes + [0]) == .trailingBytes(structure: "RELEASE plaintext", count: 1))
    }

    @Test("names the field that is out of bounds")
    func bounds() throws {
        var bytes = try Vector.named("payload").bytes
        bytes[16] = 32
        #expect(fault(bytes) == .outOfRange(field: "keyslot", value: 32))
        bytes[16] = 1
        bytes[18] = 0
        #expect(
            fault(bytes)
                == .lengthOutOfBounds(field: "key", length: 0, minimum: 1, maximum: 512))
        bytes[17] = 2
        bytes[18] = 1
        #expect(
            fault(bytes)
                == .lengthOutOfBounds(field: "key", length: 513, minimum: 1, maximum: 512))
    }

    private func fault(_ bytes: [UInt8]) -> ParseError? {
        do throws(ParseError) {
            _ = try ReleasePayload(parsing: secret(bytes))
            return nil
        } catch {
            return error
        }
    }
}
