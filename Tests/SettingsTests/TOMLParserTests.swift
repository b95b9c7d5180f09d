import Testing

@testable import Settings

@Suite("TOML parser")
struct TOMLParserTests {
    private func value(_ text: String) throws -> TOMLNode? {
        try TOMLParser.parse("v = \(text)")["v"]
    }

    @Test(
        "reads scalars",
        arguments: [
            ("0", .integer(0)), ("-17", .integer(-17)), ("+99", .integer(99)), ("-0", .integer(0)),
            ("1_000", .integer(1000)), ("0xdead_BEEF", .integer(0xdead_beef)),
            ("0o755", .integer(0o755)), ("0b11010110", .integer(0b1101_0110)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("1.0", .float(1)), ("-0.01", .float(-0.01)), ("5e+22", .float(5e22)),
            ("6.626e-34", .float(6.626e-34)), ("1e06", .float(1e6)), ("inf", .float(.infinity)),
            ("true", .bool(true)), ("false", .bool(false)), ("1979-05-27", .date),
            ("07:32:00.5", .date), ("1979-05-27T00:32:00-07:00", .date),
            ("1979-05-27 07:32:00Z # at", .date), ("''", .string("")), ("\"\"", .string("")),
            (#"'C:\n'"#, .string(#"C:\n"#)),
            (#""a\tb\"\\\u00e9\U0001F600""#, .string("a\tb\"\\é😀")),
            ("\"\"\"\na\r\nb\\\n\n   c\"\"\"", .string("a\nbc")),
            ("\"\"\"\"\"two\"\"\"\"\"", .string("\"\"two\"\"")),
            ("'''\n'x''\n'''", .string("'x''\n")),
            ("[]", .array([])), ("[1, # one\n 'a' ,\n]", .array([.integer(1), .string("a")])),
            ("[[1], []]", .array([.array([.integer(1)]), .array([])])), ("{}", .table([:])),
            (
                "{ a.b = 1, 'c d' = 2 }",
                .table(["a": .table(["b": .integer(1)]), "c d": .integer(2)])
            ),
        ] as [(String, TOMLNode)])
    func scalars(text: String, expected: TOMLNode) throws {
        #expect(try value(text) == expected)
    }

    @Test(
        "refuses values that TOML forbids",
        arguments: [
            "", "tru", "True", "01", "-01", "1_", "_1", "1__0", "0x", "0x_1", "0xg", "+0x1", "0b2",
            "0o8", "1.", ".1", "1.e1", "1e", "1_.0", "03.1", "--1", "9223372036854775808", "1 2",
            "'a", "\"a", "\"\\x41\"", "\"\\ud800\"", "\"\\U00110000\"", "\"\\u00g0\"", "\"a\nb\"",
            "'a\u{1}b'", "'''a", "\"\"\"a\"\"", "\"\"\"\"\"\"\"\"\"", "[", "[1", "[1 2]", "[,]",
            "[1,,2]", "{", "{a}", "{a=1", "{a=1,}", "{,}", "{a=1\n}", "{a=1,a=2}", "{a=1,a.b=2}",
            "é",
            "1 # \u{7f}", "1\rx = 2", "\"\\u0000\"",
        ])
    func refusedValues(text: String) {
        #expect(throws: SettingsError.self) { try value(text) }
    }

    @Test("puts keys where headers and dots say")
    func structure() throws {
        let text = """
            a.b.c = 1
            a . "b" . 'd' = 2
            [x.y]
            z = 1
            [x]
            w.v = 2
            [x.y.q]
            [[l]]
            n = 1
            [l.sub]
            m = 1
            [[l]]
            [[l.deep]]
            [[l.deep]]
            """
        let deep = TOMLNode.array([.table([:]), .table([:])])
        #expect(
            try TOMLParser.parse(text) == [
                "a": .table(["b": .table(["c": .integer(1), "d": .integer(2)])]),
                "x": .table([
                    "y": .table(["z": .integer(1), "q": .table([:])]),
                    "w": .table(["v": .integer(2)]),
                ]),
                "l": .array([
                    .table(["n": .integer(1), "sub": .table(["m": .integer(1)])]),
                    .table(["deep": deep]),
                ]),
            ])
    }

    @Test(
        "refuses a key or table that is there already, and what is no key",
        arguments: [
            "a = 1\na = 2", "a = 1\n\"a\" = 2", "a = 1\na.b = 2", "a.b = 1\na = 2", "[a]\n[a]",
            "a = 1\n[a]", "a = 1\n[a.b]", "a.b = 1\n[a]", "[a]\nb.c = 1\n[a.b]",
            "[a.b]\n[a]\nb.c = 1",
            "a = {}\n[a]", "a = {}\n[a.b]", "a = {}\na.b = 1", "a = [{}]\n[[a]]", "a = []\n[[a]]",
            "[[a]]\n[a]", "[a]\n[[a]]", "a = [{}]\n[a.b]", "[a]\n[a.b]\n[a.b]", "= 1", "a", "a =",
            "a b = 1", "a..b = 1", ".a = 1", "a. = 1", "[]", "[a", "[a]]", "[[a]", "[ [a]]",
            "[a] x",
            "\"\"\"a\"\"\" = 1", "é = 1", "a = 1 b = 2", "[a.]", "[a]b = 1",
        ])
    func refusedStructure(text: String) {
        #expect(throws: SettingsError.self) { try TOMLParser.parse(text) }
    }

    @Test("bounds nesting and the parts of a key")
    func bounds() throws {
        func nested(_ depth: Int) -> String {
            "v = " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try TOMLParser.parse(nested(TOMLParser.maximumDepth))
        #expect(throws: SettingsError.self) { try TOMLParser.parse(nested(17)) }
        #expect(throws: SettingsError.self) { try TOMLParser.parse(nested(100_000)) }
        _ = try TOMLParser.parse("a.a.a.a.a.a.a.a = 1")
        #expect(throws: SettingsError.self) { try TOMLParser.parse("a.a.a.a.a.a.a.a.a = 1") }
    }
}
