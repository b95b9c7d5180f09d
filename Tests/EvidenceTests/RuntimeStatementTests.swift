import Bytes
import Evidence
import Testing

@Suite("What a running VM says of itself")
struct RuntimeStatementTests {
    private static let whole = RuntimeStatement(
        vm: "web-1", hostName: "web", certificate: FixedBytes<32>(Array(1...32)) ?? .init(),
        attestationKeyName: [0x00, 0x0b] + [UInt8](repeating: 7, count: 32),
        sshHostKeys: [.init(kind: "ssh-ed25519", digest: FixedBytes<32>(Array(2...33)) ?? .init())],
        bootID: "5a3f2f3e-94a1-4a2c-9b7e-0a9f4ea5d1c3",
        snapshot: FixedBytes<32>(Array(3...34)))

    @Test("is read back as it was written")
    func roundTrip() throws {
        #expect(try RuntimeStatement(parsing: Self.whole.encoded()) == Self.whole)
        var bare = Self.whole
        bare.vm = nil
        bare.snapshot = nil
        bare.attestationKeyName = []
        bare.sshHostKeys = []
        #expect(try RuntimeStatement(parsing: bare.encoded()) == bare)
    }

    @Test("is refused when it is cut short anywhere, or goes on")
    func truncation() {
        let bytes = Self.whole.encoded()
        for length in bytes.indices {
            #expect(throws: ParseError.self) {
                try RuntimeStatement(parsing: Array(bytes.prefix(length)))
            }
        }
        #expect(throws: ParseError.self) { try RuntimeStatement(parsing: bytes + [0x20, 0x7b]) }
    }

    @Test(
        "names the member that is not as it must be",
        arguments: [
            ("bootgate statement 1", "bootgate statement 2", "statement.format"),
            ("\"web\"", "\"\"", "statement.host_name"),
            ("\"web\"", "\"w\\u001b[2Jb\"", "statement.host_name"),
            ("\"web-1\"", "7", "statement.vm"),
            ("0102030405", "01020304", "statement.certificate"),
            ("000b0707", "000b070", "statement.attestation_key_name"),
            ("\"kind\"", "\"sort\"", "statement"),
            ("\"boot_id\"", "\"bootid\"", "statement"),
        ])
    func wrongMembers(right: String, wrong: String, field: String) {
        let text = String(decoding: Self.whole.encoded(), as: UTF8.self)
        let parts = text.split(separator: right, maxSplits: 1, omittingEmptySubsequences: false)
        #expect(parts.count == 2)
        let changed = Array(parts.joined(separator: wrong).utf8)
        let error = #expect(throws: ParseError.self) { try RuntimeStatement(parsing: changed) }
        #expect(error.map { "\($0)".contains(field) } == true)
    }
}
