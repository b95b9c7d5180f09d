import AdminAPI
import Bytes
import Testing

@testable import KeyBroker

@Suite("Secret fields")
struct SecretFieldsTests {
    private func secret(_ bytes: [UInt8]) -> SecretBytes {
        unsafe SecretBytes(copying: bytes.span.bytes)
    }

    @Test("a secret is taken out of the outermost object and leaves spaces behind")
    func taken() throws {
        var fields = SecretFields(
            taking: Array(
                #"{"a":{"key":"AAAA"},"b":["key","x"],"c":"key", "key" : "AQIDBA=="}"#.utf8))
        let isTheKey = try fields.take("key").isEqual(to: secret([1, 2, 3, 4]))
        #expect(isTheKey)
        #expect(
            String(decoding: fields.rest, as: UTF8.self)
                == #"{"a":{"key":"AAAA"},"b":["key","x"],"c":"key", "key" : "        "}"#)
    }

    @Test("escaped slashes, as Foundation writes them, are understood")
    func escapedSlash() throws {
        var fields = SecretFields(taking: Array(#"{"key":"\/\/79"}"#.utf8))
        let isTheKey = try fields.take("key").isEqual(to: secret([0xff, 0xfe, 0xfd]))
        #expect(isTheKey)
        #expect(String(decoding: fields.rest, as: UTF8.self) == #"{"key":"      "}"#)
    }

    @Test(
        "anything but one Base64 text is refused with the field's name",
        arguments: [
            "", "{", #"{"key"#, #"{"key":"#, #"{"key":"AA"#, #"{"key":1}"#, #"{"key":null}"#,
            #"{"key":""}"#, #"{"key":"AQ"}"#, #"{"key":"AQIDBA==","key":"AQIDBA=="}"#,
            #"{"value":"key"}"#, #"{"x":{"key":"AQIDBA=="}}"#, #"["key","AQIDBA=="]"#,
            #"{"key":"AQID\u0042A=="}"#, "{\"key\":\"\\",
        ])
    func refused(body: String) {
        var fields = SecretFields(taking: Array(body.utf8))
        let fault: AdminFault?
        do throws(AdminFault) {
            _ = try fields.take("key")
            fault = nil
        } catch {
            fault = error
        }
        #expect(fault?.code == .invalid)
        #expect(fault?.field == "key")
    }

    @Test("wiping leaves zeros")
    func wiped() {
        var fields = SecretFields(taking: Array("{}".utf8))
        fields.wipe()
        #expect(fields.rest == [0, 0])
    }
}
