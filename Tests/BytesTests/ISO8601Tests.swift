import Bytes
import Testing

@Suite struct ISO8601Tests {
    @Test("reads and writes points in time alike")
    func times() {
        let known: [(text: String, time: Int64)] = [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:34:56Z", 951_827_696),
            ("2026-11-21T08:00:00Z", 1_795_248_000), ("1969-12-31T23:59:59Z", -1),
            ("2049-12-31T23:59:59Z", 2_524_607_999), ("1600-03-01T00:00:00Z", -11_670_912_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400), ("9999-12-31T23:59:59Z", 253_402_300_799),
        ]
        for (text, time) in known {
            #expect(ISO8601.time(text) == time)
            #expect(ISO8601.text(time) == text)
        }
        for day in stride(from: Int64(-200_000), through: 200_000, by: 37) {
            #expect(ISO8601.time(ISO8601.text(day * 86400 + 1)) == day * 86400 + 1)
        }
    }

    @Test(
        "refuses every other form",
        arguments: [
            "", "2026-11-21", "2026-11-21T08:00:00", "2026-11-21T08:00:00+00:00",
            "2026-11-21 08:00:00Z", "2026-11-21T08:00:00z", "2026-11-21T08:00:00.0Z",
            "2026-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-11-21T24:00:00Z",
            "2026-11-21T08:60:00Z", "2026-11-21T08:00:60Z", "0026-11-21T08:00:00Z",
            "+026-11-21T08:00:00Z", "2026-1١-21T08:00:00Z",
        ])
    func otherForms(text: String) {
        #expect(ISO8601.time(text) == nil)
    }
}
