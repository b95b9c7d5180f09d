import Testing

@testable import Bytes

private let limits = JSONReader.Limits(byteCount: 4096, depth: 4, values: 16)

private func parse(_ text: String) throws -> JSONValue {
    try JSONReader.parse(Array(text.utf8), limits: limits)
}

private func reason(_ text: [UInt8]) -> JSONError.Reason? {
    do {
        _ = try JSONReader.parse(text, limits: limits)
        return nil
    } catch {
        return error.reason
    }
}

@Test("reads every kind of value and keeps the order of members")
func everyKind() throws {
    let value = try parse(
        #" {"b":[1,-20,0.5e+3,true,false,null],"a":"\u00e9\ud83d\ude00\n\"\\\/"} "#)
    #expect(value.members?.map(\.name) == ["b", "a"])
    #expect(
        value["b"]?.array == [
            .number("1"), .number("-20"), .number("0.5e+3"), .boolean(true), .boolean(false), .null,
        ])
    #expect(value["a"]?.string == "é😀\n\"\\/")
    #expect(value["b"]?.array?[1].integer == -20)
    #expect(value["b"]?.array?[2].integer == nil)
}

@Test(
    "refuses what the grammar does not know",
    arguments: [
        ("", JSONError.Reason.truncated), ("{", .truncated), ("[1", .truncated),
        ("\"a", .truncated), ("nul", .truncated), ("-", .truncated), ("1.", .truncated),
        ("01", .trailingText), ("1 2", .trailingText), ("{} x", .trailingText),
        ("+1", .expected("a value")), ("NaN", .expected("a value")),
        ("'a'", .expected("a value")), ("[1,]", .expected("a value")),
        ("{\"a\":1,}", .expected("a name")), ("{a:1}", .expected("a name")),
        ("{\"a\" 1}", .expected("a colon")), ("[1 2]", .expected("a comma or a closing bracket")),
        ("{\"a\":1 \"b\":2}", .expected("a comma or a closing brace")),
        ("nulx", .expected("a value")), ("-x", .expected("a digit")),
        ("\"\u{1}\"", .controlCharacter), (#""\x""#, .badEscape), (#""\ud800""#, .badEscape),
        (#""\udc00""#, .badEscape), (#""\ud800\u0041""#, .badEscape), (#""\u00g0""#, .badEscape),
        (#"{"a":1,"a":2}"#, .duplicateName), (#"{"a":1,"\u0061":2}"#, .duplicateName),
    ])
func refuses(text: String, expected: JSONError.Reason) {
    #expect(reason(Array(text.utf8)) == expected)
}

@Test("refuses bytes that are not UTF-8, and a byte order mark")
func notUTF8() {
    #expect(reason([0x22, 0xc3, 0x28, 0x22]) == .notUTF8)
    #expect(reason([0x22, 0xed, 0xa0, 0x80, 0x22]) == .notUTF8)
    #expect(reason([0xef, 0xbb, 0xbf, 0x31]) == .expected("a value"))
}

@Test("stops at its limits of bytes, depth and values")
func stopsAtLimits() throws {
    #expect(try parse("[[[[1]]]]").array?.count == 1)
    #expect(reason(Array("[[[[[1]]]]]".utf8)) == .tooDeep(limit: 4))
    #expect(reason(Array(String(repeating: "[", count: 4000).utf8)) == .tooDeep(limit: 4))
    #expect(
        reason(Array("[\(Array(repeating: "1", count: 16).joined(separator: ","))]".utf8))
            == .tooManyValues(limit: 16))
    #expect(reason(Array(repeating: 0x20, count: 4097)) == .tooLong(limit: 4096))
}

@Test("refuses every truncation of a valid text")
func truncations() {
    let text = Array(#"{"a":[1,{"b":"c\u0041"}],"d":null}"#.utf8)
    #expect(reason(text) == nil)
    for length in 0..<text.count {
        #expect(reason(Array(text[..<length])) != nil, "length \(length)")
    }
}

@Test("an error says where the fault is")
func says() {
    #expect(throws: JSONError(offset: 4, reason: .expected("a value"))) {
        _ = try parse("[1, x]")
    }
    #expect("\(JSONError(offset: 4, reason: .expected("a value")))" == "byte 4: expected a value")
}
