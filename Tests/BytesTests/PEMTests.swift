import Bytes
import Testing

@Suite("PEM certificates")
struct PEMTests {
    let der: [UInt8] = [0x30, 0x03, 0x02, 0x01, 0x05]

    private func text(_ body: String) -> [UInt8] { Array(body.utf8) }

    @Test("DER passes as it is")
    func passesDER() {
        #expect(PEM.certificate(der) == der)
    }

    @Test(
        "text is read with any line length and line ends",
        arguments: [
            "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\r\nMAMC\r\nAQU=\r\n-----END CERTIFICATE-----\r\n",
            "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----",
        ])
    func readsText(body: String) {
        #expect(PEM.certificate(text(body)) == der)
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "MAMCAQU=", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nMAMCAQU=",
            "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\nx",
            "-----BEGIN CERTIFICATE-----\nMAMCAQU\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN PRIVATE KEY-----\nMAMCAQU=\n-----END PRIVATE KEY-----\n",
            "x-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n",
        ])
    func refusesTheRest(body: String) {
        #expect(PEM.certificate(text(body)) == nil)
    }

    @Test("Base64 of every remainder comes back, its non-canonical forms do not")
    func readsBase64() {
        for count in 0..<9 {
            let bytes = (0..<count).map { UInt8(($0 * 37 + 200) & 0xff) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        for text in ["A", "AA", "AAA", "AB==", "AAB=", "A===", "====", "AA=A", "AA==AA==", "AA A"] {
            #expect(Base64.decode(text) == nil)
        }
    }
}
