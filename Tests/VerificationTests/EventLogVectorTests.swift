import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("Real event logs", .enabled(if: Vectors.arePresent, "no BOOTGATE_VECTORS at hand"))
struct EventLogVectorTests {
    private static let verifier = EventLogVerifier(isStrict: false)

    @Test(
        "every case gets its verdict, for the reason the case gives",
        arguments: try LogVector.entries(["tcg-event-log", "ccel"]))
    func cases(entry: LogVector) throws {
        let source: EventLog.Source =
            entry.value["kind"]?.string == "ccel" ? .confidentialComputing : .tpm
        let bytes = try entry.file("tcg-event-log", "ccel-event-log")
        #expect(!entry.cases.isEmpty)
        for one in entry.cases {
            let isStrict = one["policy"]?["strict_separators"] == .boolean(true)
            let registers = one["inputs"]?["registers"]?.registerValues ?? RegisterValues()
            let result = EventLogVerifier(isStrict: isStrict).verify(
                bytes: bytes, from: source, registers: registers)
            let refused = result.findings.filter { $0.outcome == .refused }
            #expect(refused.isEmpty == (one["result"]?.string == "accept"), "\(refused)")
            switch one["reason"]?.string {
            case "malformed": #expect(refused.map(\.check) == ["event log format"])
            case "eventlog-replay-mismatch":
                #expect(!refused.isEmpty && refused.allSatisfy { $0.check == "event log" })
            case "eventlog-duplicate-separator":
                #expect(refused.map(\.check) == ["event log separators"])
            case let other: #expect(other == nil)
            }
        }
    }

    @Test(
        "number of events, locality and replay are as the index has them",
        arguments: try LogVector.entries(["tcg-event-log", "ccel"]))
    func parsed(entry: LogVector) throws {
        guard let wanted = entry.value["parsed"]?["events"]?.integer else { return }
        let source: EventLog.Source =
            entry.value["kind"]?.string == "ccel" ? .confidentialComputing : .tpm
        let log = try EventLog(
            parsing: try entry.file("tcg-event-log", "ccel-event-log"), from: source)
        // The index counts the description of the log as an event.
        let isAgile = entry.value["parsed"]?["format"]?.string == "crypto-agile"
        // What Windows adds for no register at the end it does not count.
        let count = log.events.count { $0.register < 24 }
        #expect(count == (isAgile ? wanted - 1 : wanted))
        let locality = entry.value["parsed"]?["startup_locality"]?.integer
        #expect(log.startupLocality.map(Int.init) == locality)
        let replayed = try #require(entry.value["expect"]?["replayed"]).registerValues
        #expect(log.replay(OpenSSLHashing()) == replayed)
        for (bank, values) in replayed.banks {
            for (register, value) in values {
                var changed = replayed
                changed[bank, register] = [value[0] ^ 1] + value.dropFirst()
                let result = Self.verifier.verify(log: log, registers: changed)
                #expect(result.facts == nil)
                #expect(
                    result.findings.filter { $0.outcome == .refused }.map(\.check)
                        == ["event log"])
            }
        }
    }

    @Test("a TD's logs lead to the registers of the quote beside them")
    func quotes() throws {
        let entries = try LogVector.entries(["tdx-quote-v4"])
        let table = try #require(entries.first { $0.id == "tdx-v4-ccel-cos113" })
        let description = try CCELTable(parsing: try table.file("ccel-acpi-table"))
        let log = try table.file("ccel-event-log")
        #expect(description.type == 2 && Int(description.logAreaMinimumLength) == log.count)
        let list = try #require(entries.first { $0.id == "tdx-v4-rtmrlog-a" })
        for (entry, log) in [
            (table, try EventLog(parsing: log, from: .confidentialComputing)),
            (list, try EventLog(runtimeMeasurements: try list.file("rtmr-event-log-json"))),
        ] {
            let quote = try entry.file("tdx-quote")
            // Version 4: the body starts at 0x30, RTMR0 is at 0x148 of it.
            let rtmr = (0..<4).compactMap { index in
                FixedBytes<48>(quote[0x30 + 0x148 + 48 * index..<0x30 + 0x178 + 48 * index])
            }
            let result = EventLogVerifier().verify(log: log, registers: RegisterValues(rtmr: rtmr))
            #expect(result.findings.allSatisfy { $0.outcome == .ok }, "\(result.findings)")
            #expect(result.facts?.commandLines.map(\.source) == [.linuxStub] || entry.id != list.id)
            #expect(
                result.facts?.unexplained.isEmpty ?? false, "\(result.facts?.unexplained ?? [])")
        }
    }

    @Test("a quote's PCR values and its event log agree, or the register that does not is named")
    func tpmQuotes() throws {
        var count = 0
        for entry in try LogVector.entries(["tpm-quote"]) {
            for one in entry.cases where one["inputs"]?["event_log"] != nil {
                let values = try JSONReader.parse(
                    try entry.file("pcr-values"), limits: JSONReader.Limits(byteCount: 1 << 20))
                let result = Self.verifier.verify(
                    bytes: try entry.file("tcg-event-log"), from: .tpm,
                    registers: values.registerValues)
                let isAccepted = !result.findings.contains { $0.outcome == .refused }
                #expect(isAccepted == (one["result"]?.string == "accept"), "\(entry.id)")
                count += 1
            }
        }
        #expect(count >= 4)
    }

    @Test(
        "what a log proves is what it was made of",
        arguments: try LogVector.entries(["tcg-event-log", "ccel"]))
    func facts(entry: LogVector) throws {
        guard let replayed = entry.value["expect"]?["replayed"]?.registerValues,
            entry.cases.allSatisfy({ $0["result"]?.string == "accept" })
        else { return }
        let source: EventLog.Source =
            entry.value["kind"]?.string == "ccel" ? .confidentialComputing : .tpm
        let result = Self.verifier.verify(
            bytes: try entry.file("tcg-event-log", "ccel-event-log"), from: source,
            registers: replayed)
        let facts = try #require(result.facts)
        let types = entry.value["parsed"]?["event_types"]
        let applications = types?["EV_EFI_BOOT_SERVICES_APPLICATION"]?.integer ?? 0
        #expect(facts.bootApplications.count == applications)
        #expect(facts.unexplained.isEmpty, "\(entry.id): \(facts.unexplained)")
    }
}
