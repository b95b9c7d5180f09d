import Attester
import Bytes
import Linux
import OpenSSL
import Protocol
import Testing

@testable import InitramfsAgent

/// A gate.conf for tests; `extra` are further lines.
func gateConf(_ extra: String = "") -> [UInt8] {
    let pin = String(repeating: "00", count: 32)
    return Array(
        """
        vm = web-1
        broker = 127.0.0.1:7411
        pin = sha256:\(pin)
        device = UUID=6a1c2f7e-5f0b-4c1e-9a53-0c8d2f6b7e11
        anchor = host-data
        \(extra)

        """.utf8)
}

@Suite("What the agent decides")
struct DecisionTests {
    private let hashing = OpenSSLHashing()

    @Test(
        "the gate.conf whose digest is HOST_DATA wins, wherever it came from and whatever else came"
    )
    func anchored() throws {
        let genuine = gateConf()
        let forged = gateConf("name = other")
        let chosen = try ChosenConfig(
            from: [
                ConfigCandidate(source: .firmware, bytes: forged),
                ConfigCandidate(source: .volume, bytes: genuine),
            ],
            anchor: .hostData(hashing.sha256(genuine)), hashing: hashing)
        #expect(chosen.source == .volume)
        #expect(chosen.digest == hashing.sha256(genuine))
    }

    @Test(
        "without one that HOST_DATA vouches for, the sources tried are named and nothing is taken")
    func notAnchored() {
        #expect(throws: ConfigChoiceError.noneVouchedFor(tried: ["firmware"])) {
            _ = try ChosenConfig(
                from: [ConfigCandidate(source: .firmware, bytes: gateConf())],
                anchor: .hostData(FixedBytes()), hashing: hashing)
        }
    }

    @Test("only a gate.conf inside the image can say that the image's measurement vouches for it")
    func measuredImage() throws {
        let text = String(decoding: gateConf(), as: UTF8.self)
            .replacing("host-data", with: "measured-image")
        let bytes = Array(text.utf8)
        let fromImage = try ChosenConfig(
            from: [ConfigCandidate(source: .image, bytes: bytes)],
            anchor: .hostData(FixedBytes()), hashing: hashing)
        #expect(fromImage.config.anchor == .measuredImage)
        #expect(throws: ConfigChoiceError.noneVouchedFor(tried: ["firmware"])) {
            _ = try ChosenConfig(
                from: [ConfigCandidate(source: .firmware, bytes: bytes)],
                anchor: .hostData(hashing.sha256(bytes)), hashing: hashing)
        }
    }

    @Test("the mounted root must be the device that the gate opened")
    func mountedRoot() {
        let opened = RootState(name: "root", number: DeviceNumber(major: 254, minor: 0))
        #expect(CheckRoot.problem(state: opened, mounted: opened.number) == nil)
        let decoy = DeviceNumber(major: 253, minor: 16)
        #expect(
            CheckRoot.problem(state: opened, mounted: decoy)
                == "/sysroot is device 253:16, not the opened root (254:0)")
        #expect(CheckRoot.problem(state: nil, mounted: decoy) != nil)
        #expect(CheckRoot.problem(state: opened, mounted: nil) != nil)
    }

    @Test("what the launch leaves for the check is read back, and nothing else is")
    func rootState() {
        let state = RootState(name: "root", number: DeviceNumber(major: 254, minor: 3))
        #expect(RootState(text: state.text) == state)
        for broken in ["", "name=root\n", state.text + "x", "name=root\ndevice=254\n"] {
            #expect(RootState(text: broken) == nil)
        }
    }

    @Test("a guest needs one source of randomness of its own and no credentials of its host")
    func guest() {
        let line = "root=/dev/mapper/root systemd.import_credentials=no\n"
        #expect(Preparation.problem(cpuFlags: ["rdrand"], commandLine: line) == nil)
        #expect(Preparation.problem(cpuFlags: ["aes"], commandLine: line) != nil)
        #expect(Preparation.problem(cpuFlags: ["rdseed"], commandLine: "quiet") != nil)
    }

    @Test("each ending has its exit status and what gate.conf wants done")
    func endings() throws {
        let config = try GateConfig(
            parsing: gateConf("on_refused = reboot\non_open_failure = retry"))
        #expect(Ending.opened.action(config) == nil)
        #expect(Ending.opened.exitStatus == 0)
        #expect(Ending.refused(reference: "L-1").action(config) == .reboot)
        #expect(Ending.refused(reference: "L-1").exitStatus == 1)
        #expect(Ending.notOpened("x").action(config) == .retry)
        #expect(Ending.unreachable.exitStatus == 69)
        #expect(Ending.stopped(.unusableInput, "x").action(nil) == .poweroff)
        #expect(Ending.stopped(.unusableInput, "x").exitStatus == 2)
    }

    @Test("name servers are those that systemd-networkd has learnt")
    func nameServers() {
        let state = "OPER_STATE=routable\nDNS=10.0.2.3 fd00::3\nNTP=\n"
        #expect(Network.nameServers(inState: state) == ["10.0.2.3", "fd00::3"])
        #expect(Network.nameServers(inState: "OPER_STATE=off\n").isEmpty)
    }

    @Test("the report is one line of JSON with times in milliseconds")
    func report() {
        var report = LaunchReport(now: 0)
        report.finished("connect", at: 1_500_000)
        report.finished("connect", at: 2_000_000)
        report.finished("open", at: 2_007_000)
        #expect(
            report.json(.notOpened("a \"b\""), peakResidentKiB: 9) == """
                {"result": "not opened", "message": "the root disk stays shut: a \\"b\\"", \
                "milliseconds": {"connect": 2.000, "open": 0.007, "total": 2.007}, \
                "peak_resident_kib": 9}

                """)
        report.finished("release", at: 5_000_000)
        #expect(report.summary == "in 3 ms, and 2 ms for the network")
    }
}

@Suite("The agent's command line")
struct OptionTests {
    @Test("a rehearsal names everything it uses")
    func rehearsal() throws {
        let command = try Command(arguments: [
            "launch", "--tsm", "/t", "--config", "a", "--config", "b", "--device", "/d",
            "--no-activate", "--json-report", "/r",
        ])
        #expect(
            command
                == .launch(
                    LaunchOptions(
                        tsm: "/t", configs: ["a", "b"], device: "/d", activates: false,
                        jsonReport: "/r")))
    }

    @Test(
        "anything else is refused with the word that is wrong",
        arguments: [
            ([], "no command"), (["boot"], "unknown command `boot`"),
            (["launch", "--passphrase", "x"], "unknown option `--passphrase`"),
            (["launch", "--tsm"], "--tsm needs a value"),
            (["check-root", "x"], "unknown option `x`"),
            (["--version", "x"], "--version takes no arguments"),
        ] as [([String], String)])
    func refused(arguments: [String], message: String) {
        #expect(throws: UsageError(description: message)) {
            _ = try Command(arguments: arguments)
        }
    }
}
