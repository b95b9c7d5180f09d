import Settings
import Testing

private func read<T>(
    _ text: String, _ body: (inout TOMLReader) throws(SettingsError) -> T
) throws(SettingsError) -> T {
    try TOMLDocument(parsing: text).read(body)
}

@Suite("TOML reader")
struct TOMLReaderTests {
    private enum Colour: String, CaseIterable { case red, blue }

    @Test("reads each kind of value")
    func values() throws {
        let text = """
            # a comment
            name = "web"
            count = 1_000
            on = true
            colour = "blue"
            list = ["a", 'b']
            [inner]
            deep.key = "x"
            [[item]]
            n = 1
            [[item]]
            n = 2
            """
        try read(text) { reader throws(SettingsError) in
            #expect(try reader.string("name") == "web")
            #expect(try reader.integer("count", in: 0...1000) == 1000)
            #expect(try reader.optionalBool("on") == true)
            #expect(try reader.optionalChoice("colour", Colour.self) == .blue)
            #expect(try reader.strings("list") == ["a", "b"])
            let deep = try reader.optionalTable("inner") { inner throws(SettingsError) in
                try inner.optionalTable("deep") { deep throws(SettingsError) in
                    #expect(deep.path == "inner.deep")
                    return try deep.string("key")
                }
            }
            #expect(deep == "x")
            let items = try reader.tables("item") { item throws(SettingsError) in
                try item.integer("n", in: 1...2)
            }
            #expect(items == [1, 2])
            #expect(try reader.optionalString("absent") == nil)
            #expect(try reader.tables("none") { _ in 0 }.isEmpty)
        }
    }

    /// What reading `key` in one type says about a value of another.
    @Test(
        "names path, expected and actual",
        arguments: [
            ("s = 1", "s: expected a text, got the integer 1"),
            ("s = true", "s: expected a text, got true"),
            ("s = 1.5", "s: expected a text, got the fraction 1.5"),
            ("s = 2026-11-21", "s: expected a text, got a date or time"),
            ("s = []", "s: expected a text, got a list of 0"),
            ("s = {}", "s: expected a text, got a table"),
            ("", "s: expected a text, got nothing"),
            ("s = 'x'", "i: expected an integer from 1 to 9, got nothing"),
            ("s = 'x'\ni = 0", "i: expected an integer from 1 to 9, got the integer 0"),
            ("s = 'x'\ni = 10", "i: expected an integer from 1 to 9, got the integer 10"),
            ("s = 'x'\ni = 1.0", "i: expected an integer from 1 to 9, got the fraction 1.0"),
            ("s = 'x'\ni = '1'", "i: expected an integer from 1 to 9, got the text \"1\""),
            ("s = 'x'\ni = true", "i: expected an integer from 1 to 9, got true"),
            ("s = 'x'\ni = 1\nb = 1", "b: expected true or false, got the integer 1"),
            ("s = 'x'\ni = 1\nb = 'true'", "b: expected true or false, got the text \"true\""),
            (
                "s = 'x'\ni = 1\nc = 'green'",
                "c: expected \"red\", \"blue\", got the text \"green\""
            ),
            ("s = 'x'\ni = 1\nl = 'a'", "l: expected a list of texts, got the text \"a\""),
            ("s = 'x'\ni = 1\nl = ['a', 2]", "l[1]: expected a text, got the integer 2"),
            ("s = 'x'\ni = 1\nt = 1", "t: expected a table, got the integer 1"),
            ("s = 'x'\ni = 1\nt = {u = 1}", "t.u: expected a text, got the integer 1"),
            ("s = 'x'\ni = 1\nt = {w = 1}", "t.w: expected one of u, got an unknown key"),
            ("s = 'x'\ni = 1\na = {}", "a: expected [[a]] tables, got a table"),
            ("s = 'x'\ni = 1\na = [1]", "a[0]: expected a table, got the integer 1"),
            (
                "s = 'x'\ni = 1\n[[a]]\n[[a]]\nw = 1",
                "a[1].w: expected an empty table, got an unknown key"
            ),
            ("s = 'x'\ni = 1\nz = 1", "z: expected one of a, b, c, i, l, s, t, got an unknown key"),
            (
                "s = 'x'\ni = 1\n\"z z\" = 1",
                "\"z z\": expected one of a, b, c, i, l, s, t, got an unknown key"
            ),
        ])
    func errors(text: String, expected: String) {
        do {
            try read(text) { reader throws(SettingsError) in
                _ = try reader.string("s")
                _ = try reader.integer("i", in: 1...9)
                _ = try reader.optionalBool("b")
                _ = try reader.optionalChoice("c", Colour.self)
                _ = try reader.optionalStrings("l")
                try reader.optionalTable("t") { table throws(SettingsError) in
                    _ = try table.optionalString("u")
                }
                _ = try reader.tables("a") { _ in }
            }
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.description == expected)
        }
    }

    @Test(
        "gives the line of text that is no TOML",
        arguments: [
            ("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ("a\n", 1), ("\n\n[a\n", 3),
            ("a = \"\u{0}\"", 1), ("\na = \"x\\u0000y\"", 2), ("\"a\\U00000000\" = 1", 1),
            ("a = 1\n# hidden \u{0}\nb = 2", 2), ("a = 99999999999999999999", 1),
            // What stopped a process within toml++ 3.4, found by changing bytes at random.
            ("[=]", 1), ("a = 1\n  [[ .b]]", 2), ("\u{feff}[{", 1), ("\r\n\t[#", 2), ("[é]", 1),
            ("a = [\n}]", 2),
        ])
    func lines(text: String, line: Int) {
        do {
            _ = try TOMLDocument(parsing: text)
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.line == line)
            #expect(error.description.hasPrefix("line \(line)"))
            #expect(!error.description.contains("\n"))
        }
    }

    @Test("refuses more than a mebibyte")
    func tooLarge() {
        #expect(throws: SettingsError.self) {
            try TOMLDocument(parsing: String(repeating: "#", count: 1 << 20 + 1))
        }
    }

    @Test("survives deep nesting")
    func nesting() {
        #expect(throws: SettingsError.self) {
            try TOMLDocument(parsing: "a = " + String(repeating: "[", count: 100_000))
        }
    }
}
