import AdminAPI
import Bytes
import Foundation
import Testing

@Suite("Enrolment")
struct EnrolmentTests {
    private func secret(_ bytes: [UInt8]) -> SecretBytes {
        unsafe SecretBytes(copying: bytes.span.bytes)
    }

    private let terms = EnrolmentTerms(
        policy: "web", configDigest: "00ff", gateConf: "vm = web-1\n# \"quoted\" \\ \u{7}\n",
        luksUUID: "0e2f8b1e-7c59-4a7b-9b06-7c1fb05f3a8e", keyName: "disk", keyslot: 1,
        headerDigest: "ab", volumeKeyCheck: "AAAA")

    @Test("its JSON text decodes to the same terms, and the secrets are Base64")
    func roundTrip() throws {
        let enrolment = Enrolment(
            terms: terms, key: secret([1, 2, 3, 4]), proofKey: secret([0xff, 0xfe, 0xfd]))
        let text = enrolment.json()
        let data = unsafe text.withBytes { unsafe Data($0) }
        #expect(try JSONDecoder().decode(EnrolmentTerms.self, from: data) == terms)
        struct Secrets: Decodable {
            var key: String
            var proofKey: String
        }
        let secrets = try JSONDecoder().decode(Secrets.self, from: data)
        #expect(secrets.key == "AQIDBA==")
        #expect(secrets.proofKey == "//79")
    }

    @Test("Base64 of a secret of every length up to 70 comes back")
    func base64RoundTrip() throws {
        for count in 1...70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            let text = Array(Base64.encode(bytes).utf8)
            let decoded = unsafe SecretBytes(base64: text.span.bytes)
            guard let decoded else {
                Issue.record("\(count) bytes did not decode")
                continue
            }
            let same = decoded.isEqual(to: secret(bytes))
            #expect(same)
        }
    }

    @Test(
        "text that is not the one Base64 form of a value is refused",
        arguments: ["", "A", "AQI", "AQ=A", "====", "AB==", "AQJ=", "AQ==\n", "AQ= ", "-_-_"])
    func malformedBase64(text: String) {
        let bytes = Array(text.utf8)
        let decoded = unsafe SecretBytes(base64: bytes.span.bytes)
        let refused = decoded == nil
        #expect(refused)
    }
}
