import Attester
import Bytes
import Linux
import OpenSSL
import Protocol
import TPM
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

/// A platform that cannot make its evidence worthless.
private struct EndlessPlatform: EvidenceProvider {
    let kind = EvidenceKind.tdx
    var isQuoting = false

    func evidence(
        over binding: ([UInt8]) -> FixedBytes<64>
    ) throws(AttesterError) -> EvidenceMessage {
        throw .noPlatform(directory: "")
    }

    func configAnchor() throws(AttesterError) -> HardwareAnchor { .nothing }

    func checkEnding() throws(AttesterError) {
        throw .cannotEnd(register: "RTMR3", problem: "no such file")
    }

    func endEvidence() throws(AttesterError) { try checkEnding() }

    func quoting(
        _ device: TPM.Device, _ plan: TPMQuotePlan
    ) throws(AttesterError) -> any EvidenceProvider {
        EndlessPlatform(isQuoting: true)
    }
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

    @Test(
        "on TDX the anchor is MRCONFIGID: the digest and 16 zero bytes, and gate.conf has to say so"
    )
    func mrConfigID() throws {
        let text = String(decoding: gateConf(), as: UTF8.self)
        let bytes = Array(text.replacing("host-data", with: "mrconfigid").utf8)
        let digest = hashing.sha256(bytes).bytes
        let zeros = [UInt8](repeating: 0, count: 16)
        let anchor = HardwareAnchor.mrConfigID(try #require(FixedBytes(digest + zeros)))
        let candidate = ConfigCandidate(source: .firmware, bytes: bytes)
        let chosen = try ChosenConfig(from: [candidate], anchor: anchor, hashing: hashing)
        #expect(chosen.config.anchor == .mrconfigid)
        let padded = HardwareAnchor.mrConfigID(
            try #require(FixedBytes(digest + zeros.dropLast() + [1])))
        // The other kind of anchor, another end, none, and a file that names the other kind.
        let others: [HardwareAnchor] = [.hostData(hashing.sha256(bytes)), padded, .nothing]
        for other in others {
            #expect(throws: ConfigChoiceError.noneVouchedFor(tried: ["firmware"])) {
                _ = try ChosenConfig(from: [candidate], anchor: other, hashing: hashing)
            }
        }
        let foreign = ConfigCandidate(source: .firmware, bytes: gateConf())
        let foreignAnchor = HardwareAnchor.mrConfigID(
            try #require(FixedBytes(hashing.sha256(foreign.bytes).bytes + zeros)))
        #expect(throws: ConfigChoiceError.noneVouchedFor(tried: ["firmware"])) {
            _ = try ChosenConfig(from: [foreign], anchor: foreignAnchor, hashing: hashing)
        }
    }

    @Test("a launch whose evidence could not be ended does not begin, but may be rehearsed")
    func noEnd() throws {
        let platform = EndlessPlatform()
        let config = try GateConfig(parsing: gateConf())
        let speaker = Speaker(terminal: nil)
        let launch = Preparation(
            options: LaunchOptions(), speaker: speaker, hashing: hashing)
        #expect(
            throws: StopError(.unavailable, "RTMR3 cannot be extended at hand-over: no such file")
        ) { _ = try launch.completed(platform, config) }
        let rehearsal = Preparation(
            options: LaunchOptions(activates: false), speaker: speaker, hashing: hashing)
        #expect(try rehearsal.completed(platform, config).kind == .tdx)
        #expect(!platform.isQuoting)
    }

    @Test("tpm_quote = yes adds a quote to whatever platform there is")
    func tpmQuote() throws {
        let preparation = Preparation(
            options: LaunchOptions(tsm: "/nowhere", activates: false),
            speaker: Speaker(terminal: nil), hashing: hashing)
        let config = try GateConfig(parsing: gateConf("tpm_quote = yes"))
        let complete = try preparation.completed(EndlessPlatform(), config)
        #expect((complete as? EndlessPlatform)?.isQuoting == true)
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
