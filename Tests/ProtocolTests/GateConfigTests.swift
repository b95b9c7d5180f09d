import Bytes
import Protocol
import Testing

@Suite struct GateConfigTests {
    static let pin = String(repeating: "a1", count: 32)
    static let smallest = """
        vm = web-1
        broker = broker.example
        pin = sha256:\(pin)
        device = UUID=0f2c1f3e-8a4b-4c5d-9e6f-001122334455
        anchor = host-data

        """

    @Test("fills in the defaults")
    func defaults() throws {
        let config = try GateConfig(parsing: Array(Self.smallest.utf8))
        #expect(config.vm.description == "web-1")
        #expect(config.brokers.map(\.description) == ["broker.example:7411"])
        #expect(config.pins.map { $0.hex } == [Self.pin])
        #expect(config.device == "0f2c1f3e-8a4b-4c5d-9e6f-001122334455")
        #expect(config.anchor == .hostData)
        #expect(config.name == "root")
        #expect(config.keyName == .disk)
        #expect(config.cipher == "aes-xts-plain64")
        #expect(config.keyBits == 512)
        #expect(config.onUnreachable == .retry)
        #expect(config.onRefused == .poweroff)
        #expect(config.onOpenFailure == .poweroff)
        #expect(!config.tpmQuote)
    }

    @Test("reads every key, comments, blank lines and any order")
    func everyKey() throws {
        let text = """
            # Büro, Regal 3
            on_open_failure = reboot
              on_refused=retry
            on_unreachable = poweroff

            key_bits = 256
            cipher = serpent-xts-plain64
            key_name = data.1
            name = cryptroot
            anchor = measured-image
            tpm_quote = yes
            device = UUID=0f2c1f3e-8a4b-4c5d-9e6f-001122334455
            pin = sha256:\(Self.pin)
            pin = sha256:\(String(repeating: "00", count: 32))
            broker = [2001:db8::1]:7000
            broker = 192.0.2.7
            vm = web-1
            """
        let config = try GateConfig(parsing: Array(text.utf8))
        #expect(config.brokers.map(\.description) == ["[2001:db8::1]:7000", "192.0.2.7:7411"])
        #expect(config.pins.count == 2)
        #expect(config.onUnreachable == .poweroff)
        #expect(config.onRefused == .retry)
        #expect(config.onOpenFailure == .reboot)
        #expect(config.tpmQuote)
        #expect(try GateConfig(parsing: config.serialized()) == config)
    }

    @Test("a built config is judged like a parsed one")
    func built() throws {
        let parsed = try GateConfig(parsing: Array(Self.smallest.utf8))
        let built = try GateConfig(
            vm: parsed.vm, brokers: parsed.brokers, pins: parsed.pins, device: parsed.device,
            anchor: .hostData)
        #expect(built == parsed)
        #expect(throws: GateConfigError.self) {
            _ = try GateConfig(
                vm: parsed.vm, brokers: [], pins: parsed.pins, device: parsed.device,
                anchor: .hostData)
        }
        #expect(throws: GateConfigError.self) {
            _ = try GateConfig(
                vm: parsed.vm, brokers: parsed.brokers, pins: parsed.pins, device: parsed.device,
                name: "root\nname = other", anchor: .hostData)
        }
    }

    static let refusals: [(String, String)] = [
        ("color = red", "gate.conf line 6: color: expected a known key, got color"),
        ("vm = web-2", "gate.conf line 6: vm: expected the key once, got it again after line 1"),
        ("just text", "gate.conf line 6: expected key = value, got just text"),
        ("= x", "gate.conf line 6: : expected a known key, got "),
        ("name = a/b", "gate.conf line 6: name: expected [A-Za-z0-9][A-Za-z0-9._-]{0,63}, got a/b"),
        (
            "name = control",
            "gate.conf line 6: name: expected [A-Za-z0-9][A-Za-z0-9._-]{0,63}, got control"
        ),
        ("name =", "gate.conf line 6: name: expected [A-Za-z0-9][A-Za-z0-9._-]{0,63}, got "),
        (
            "cipher = cipher_null-ecb",
            "gate.conf line 6: cipher: expected a LUKS2 cipher that encrypts, got cipher_null-ecb"
        ),
        (
            "tpm_quote = true",
            "gate.conf line 6: tpm_quote: expected no, yes, got true"
        ),
        (
            "key_bits = 0512",
            "gate.conf line 6: key_bits: expected 128, 256, 384 or 512, got 0512"
        ),
        (
            "on_refused = shell",
            "gate.conf line 6: on_refused: expected retry, poweroff, reboot, got shell"
        ),
        (
            "broker = broker.example:7411",
            "gate.conf line 6: broker: expected no value twice, got broker.example:7411"
        ),
        (
            "broker = broker.example:0",
            "gate.conf line 6: broker: expected host, host:port or [IPv6]:port,"
                + " got broker.example:0"
        ),
        (
            "pin = sha256:" + String(repeating: "A1", count: 32),
            "gate.conf line 6: pin: expected sha256: and 64 lower-case hexadecimal digits,"
                + " got sha256:" + String(repeating: "A1", count: 32)
        ),
        (
            "pin = sha256:a1",
            "gate.conf line 6: pin: expected sha256: and 64 lower-case hexadecimal digits,"
                + " got sha256:a1"
        ),
        ("name\t= x", "gate.conf line 6: expected printable characters, got U+9"),
        ("name = x\r", "gate.conf line 6: expected printable characters, got U+D"),
        ("# \u{202e}x", "gate.conf line 6: expected printable characters, got U+202E"),
        (
            "name = r\u{f6}ot",
            "gate.conf line 6: name: expected [A-Za-z0-9][A-Za-z0-9._-]{0,63}, got r??ot"
        ),
    ]

    @Test("names line, key, expected and actual", arguments: refusals)
    func refused(line: String, expected: String) {
        let error = #expect(throws: GateConfigError.self) {
            _ = try GateConfig(parsing: Array((Self.smallest + line).utf8))
        }
        #expect(error?.description == expected)
    }

    @Test("names each key that is missing", arguments: ["vm", "broker", "pin", "device", "anchor"])
    func missing(key: String) {
        let lines = Self.smallest.split(separator: "\n").filter { !$0.hasPrefix(key) }
        let error = #expect(throws: GateConfigError.self) {
            _ = try GateConfig(parsing: Array(lines.joined(separator: "\n").utf8))
        }
        #expect(error?.line == nil)
        #expect(error?.key == key)
        #expect(error?.actual == "no such key")
    }

    @Test("bounds the file, its brokers and its pins")
    func bounds() throws {
        let comment = "#" + String(repeating: "x", count: 8191 - Self.smallest.utf8.count)
        _ = try GateConfig(parsing: Array((Self.smallest + comment).utf8))
        let brokers = (1...16).map { "broker = b\($0)\n" }.joined()
        let pins = (10...17).map { "pin = sha256:" + String(repeating: "\($0)", count: 32) + "\n" }
            .joined()
        for (text, expected) in [
            (Self.smallest + comment + "x", "at most 8192 bytes"),
            (Self.smallest + brokers, "at most 16 lines"),
            (Self.smallest + pins, "at most 8 lines"),
        ] {
            let error = #expect(throws: GateConfigError.self) {
                _ = try GateConfig(parsing: Array(text.utf8))
            }
            #expect(error?.expected == expected)
        }
    }

    @Test("refuses bytes that are no text")
    func bytes() {
        let error = #expect(throws: GateConfigError.self) {
            _ = try GateConfig(parsing: Array(Self.smallest.utf8) + [0xff])
        }
        #expect(error?.description == "gate.conf line 6: expected UTF-8, got other bytes")
    }
}

@Suite struct BrokerAddressTests {
    @Test(
        "reads names and addresses, with 7411 where no port is named",
        arguments: [
            ("broker", "broker:7411"), ("broker.example:1", "broker.example:1"),
            ("192.0.2.7:65535", "192.0.2.7:65535"), ("[::]", "[::]:7411"),
            ("[::1]:80", "[::1]:80"), ("[2001:DB8::]", "[2001:DB8::]:7411"),
            ("[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7:8]:7411"),
            ("[::ffff:192.0.2.7]", "[::ffff:192.0.2.7]:7411"), ("7.example", "7.example:7411"),
        ])
    func right(text: String, description: String) {
        #expect(BrokerAddress(text)?.description == description)
        #expect(BrokerAddress(description)?.description == description)
    }

    @Test(
        "refuses everything else",
        arguments: [
            "", ":7411", "broker:", "broker:65536", "broker:+1", "broker:07", "broker:7411x",
            "::1", "[]", "[::1", "[::1]7411", "[:1::]", "[1:2]", "[:::]", "[1::2::3]", "[12345::]",
            "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7::8]", "[fe80::1%eth0]", "[192.0.2.7::]",
            "192.0.2", "192.0.2.256", "192.0.2.07", "-a", "a-", "a..b", "a.", "a_b", "a b",
            "user@host", "http://host",
        ])
    func wrong(text: String) {
        #expect(BrokerAddress(text) == nil)
    }
}
