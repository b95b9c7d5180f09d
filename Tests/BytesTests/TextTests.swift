import Bytes
import Testing

@Suite struct TextTests {
    @Test(
        "base64 is that of RFC 4648, section 10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func base64(plain: String, text: String) {
        #expect(Base64.encode(Array(plain.utf8)) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test(
        "base64 refuses every other spelling of a value",
        arguments: ["Zg", "Zg=", "Zh==", "Zm9v\n", "Zm 9", "====", "Zg==Zg=="])
    func base64Strict(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(
        "hexadecimal refuses odd counts and other characters",
        arguments: ["0", "0g", "0x00", " 00"])
    func hexStrict(text: String) {
        #expect(Hex.decode(text) == nil)
    }
}
