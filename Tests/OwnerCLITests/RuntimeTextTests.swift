import AdminAPI
import AgentAPI
import Bytes
import Evidence
import OpenSSL
import Policy
import Testing

@testable import OwnerCLI
@testable import Verification

private let plain = Screen(hasColor: false, now: 1_790_000_000)

@Suite("What is told of running VMs")
struct RuntimeTextTests {
    private func table(_ files: [(String, UInt8)]) -> IMADigestTable {
        var table = IMADigestTable()
        for (path, byte) in files {
            table.insert(name: Array(path.utf8), digest: [UInt8](repeating: byte, count: 32))
        }
        return table
    }

    private func package(_ name: String, _ version: String, _ paths: [String]) -> SnapshotPackage {
        var package = SnapshotPackage(
            name: name, version: version, architecture: "amd64", manager: .dpkg)
        for path in paths { package.add(path: path.utf8) }
        return package
    }

    @Test("an update is shown by package, what nobody vouches for first")
    func update() throws {
        var old = Snapshot()
        old.files = table([("/usr/bin/a", 1), ("/usr/bin/b", 1), ("/usr/bin/gone", 1)])
        old.packages = [
            package("alpha", "1.0", ["/usr/bin/a", "/usr/bin/gone"]),
            package("beta", "2.0", ["/usr/bin/b"]),
        ]
        var new = Snapshot()
        new.files = table([("/usr/bin/a", 2), ("/usr/bin/b", 2), ("/opt/tool", 9)])
        new.packages = [
            package("alpha", "1.1", ["/usr/bin/a"]), package("beta", "2.0", ["/usr/bin/b"]),
        ]
        let difference = SnapshotDifference(old: old, new: new)
        #expect(difference.questions == ["/opt/tool", "/usr/bin/a", "/usr/bin/b"])
        let report = UpdateReport(
            vm: "web-1", difference: difference, old: old, new: new,
            owners: [
                .init(path: "/opt/tool"),
                .init(path: "/usr/bin/a", package: "alpha", version: "1.1", isAsDelivered: true),
                .init(path: "/usr/bin/b", package: "beta", version: "2.0", isAsDelivered: false),
            ])
        #expect(
            report.lines(plain) == [
                "4 files of web-1 differ from its snapshot, in 3 groups: look at the first 2.", "",
                "  no package  (1)", "    added    /opt/tool  no package", "  beta 2.0  (1)",
                "    changed  /usr/bin/b  CHANGED after delivery",
                "  alpha 1.0 -> 1.1  (2)  as delivered",
            ])
    }

    @Test("a file that a package says nothing of is never shown as delivered")
    func unknownDigest() {
        var new = Snapshot()
        new.files = table([("/usr/bin/a", 1)])
        let report = UpdateReport(
            vm: "web-1", difference: SnapshotDifference(old: Snapshot(), new: new),
            old: Snapshot(), new: new,
            owners: [.init(path: "/usr/bin/a", package: "alpha", version: "1")])
        #expect(report.groups.map(\.isAsDelivered) == [false])
        #expect(report.lines(plain).contains("    added    /usr/bin/a  the package says no digest"))
    }

    @Test("no difference is one line")
    func noDifference() {
        let report = UpdateReport(
            vm: "web-1", difference: SnapshotDifference(old: Snapshot(), new: Snapshot()),
            old: Snapshot(), new: Snapshot(), owners: [])
        #expect(report.lines(plain) == ["Nothing of web-1 differs from its snapshot."])
    }

    private func outcome(
        _ findings: [Finding], isProven: Bool = true, isKeySelfMade: Bool = false
    ) -> RuntimeLook.Outcome {
        let isRefused = findings.contains { $0.outcome == .refused }
        return RuntimeLook.Outcome(
            statement: RuntimeStatement(
                vm: nil, hostName: "web-1.example", certificate: FixedBytes(),
                attestationKeyName: [], sshHostKeys: [], bootID: "b", snapshot: nil),
            platform: "SNP Genoa", time: 1_790_000_000,
            result: RuntimeResult(
                findings: findings, problems: [], entryCount: 4, quotedCount: 3, allowed: [],
                furtherCount: 0, isKeySelfMade: isKeySelfMade,
                isTrusted: isProven && !isRefused), holdsPolicy: true)
    }

    private func finding(_ check: String, _ outcome: Finding.Outcome) -> Finding {
        Finding(check: check, outcome: outcome, expected: "e", actual: "a", note: "n")
    }

    @Test("a key that is not the snapshot's belongs to the TPM's quote")
    func keyGroup() {
        #expect(RuntimeGroup(of: RuntimeCheck.key.rawValue) == .quote)
        #expect(RuntimeGroup(of: TPMCheck.key.rawValue) == .quote)
    }

    @Test("a key that only the VM vouches for is told at once, trusted or not")
    func selfMadeKey() {
        let findings = [finding("signature", .ok), finding("snapshot", .ok)]
        let next = VerifyReport(
            outcome: outcome(findings, isKeySelfMade: true), snapshot: nil
        ).next
        #expect(next.contains("names no TPM key"))
        #expect(!VerifyReport(outcome: outcome(findings), snapshot: nil).next.contains("TPM key"))
    }

    @Test("what was not checked is never shown as passed")
    func notChecked() {
        let report = VerifyReport(
            outcome: outcome([
                finding("signature", .ok), finding("revocation", .notChecked),
                finding("snapshot", .ok), finding("applications", .notChecked),
            ]), snapshot: nil)
        let lines = report.lines(plain)
        #expect(
            lines[0]
                == "web-1.example is trusted: 3 of 3 measured files are in the snapshot.")
        #expect(
            lines.contains {
                $0.hasPrefix("  TEE evidence       ok") && $0.hasSuffix("not checked: revocation")
            })
        #expect(lines.contains("  applications       not checked  n"))
        #expect(!lines.contains { $0.contains("applications       ok") })
    }

    @Test("a snapshot that has no list of files is no trust")
    func nothingHeld() {
        let report = VerifyReport(
            outcome: outcome([finding("signature", .ok), finding("snapshot", .notChecked)]),
            snapshot: nil)
        #expect(report.outcome.isTrusted == false)
    }

    @Test("nothing refused is no trust where nothing was proven")
    func unproven() {
        let report = VerifyReport(
            outcome: outcome([finding("snapshot", .ok)], isProven: false), snapshot: nil)
        #expect(
            report.lines(plain)[0]
                == "web-1.example is not trusted: a check that must hold could not be made.")
    }

    @Test("a watch tells a change of state once, and each new entry once")
    func watch() {
        var changes = RuntimeChanges(after: outcome([finding("snapshot", .ok)]))
        func look(_ finding: Finding) -> Result<VerifyReport, Failure> {
            .success(VerifyReport(outcome: outcome([finding]), snapshot: nil))
        }
        let same = look(finding("snapshot", .ok))
        #expect(changes.changes(same, plain).isEmpty)
        let bad = look(finding("binding", .refused))
        #expect(
            changes.changes(bad, plain).map { $0.split(separator: "  ").last } == [
                "not trusted: binding"
            ])
        #expect(changes.changes(bad, plain).isEmpty)
        let gone = Result<VerifyReport, Failure>.failure(Failure(.unavailable, "no agent"))
        let other = Result<VerifyReport, Failure>.failure(Failure(.refused, "no base64"))
        for (failure, text) in [(gone, "no agent"), (other, "no base64")] {
            #expect(
                changes.changes(failure, plain).map { $0.hasSuffix("no evidence: \(text)") }
                    == [true])
            #expect(changes.changes(failure, plain).isEmpty)
        }
        #expect(changes.changes(same, plain).map { $0.hasSuffix("trusted") } == [true])
    }

    @Test("a state says what to do")
    func states() {
        let failed = RuntimeRecord(
            vm: "web-1", state: .failed, lastReport: "R-00012", lastTime: 1_790_000_000,
            failedChecks: ["snapshot"])
        let lines = RuntimeRecordReport(record: failed).lines(plain)
        #expect(lines[0] == "web-1: failed, a report did not hold.")
        #expect(lines.contains("  does not hold  snapshot"))
        #expect(lines.last?.hasPrefix("Next: `bootgate why R-00012`") == true)
        let new = RuntimeRecord(vm: "web-1", state: .neverVerified)
        #expect(
            RuntimeRecordReport(record: new).lines(plain).last
                == "Next: `bootgate snapshot --url https://HOST:5555 --vm web-1`.")
    }

    @Test("ssh-keyscan's lines are read, and one strange key refuses")
    func ssh() throws {
        let blob = Array("a key's blob".utf8)
        let text = "# web-1:22 SSH-2.0\nweb-1 ssh-ed25519 \(Base64.encode(blob))\nweb-1 broken\n"
        let keys = SSHCheck.keys(Array(text.utf8))
        let own = RuntimeStatement.SSHHostKey(
            kind: "ssh-ed25519", digest: OpenSSLHashing().sha256(blob))
        #expect(keys == [own])
        let address = try #require(ServerAddress("web-1", defaultPort: 22))
        let check = SSHCheck(address: address, keys: [own])
        #expect(check.finding(offered: keys).outcome == .ok)
        #expect(check.finding(offered: []).outcome == .refused)
        let said = Array("# web-1\ngetaddrinfo web-1: Name or service not known\n".utf8)
        let silent = check.finding(
            offered: SSHCheck.keys(said), complaint: SSHCheck.complaint(said))
        #expect(
            silent.actual == "web-1:22 offers none: getaddrinfo web-1: Name or service not known")
        let key = Array("web-1 ssh-ed25519 \(Base64.encode(blob))\n".utf8)
        #expect(SSHCheck.complaint(key) == nil)
        let strange = RuntimeStatement.SSHHostKey(kind: "ssh-rsa", digest: FixedBytes())
        #expect(check.finding(offered: [own, strange]).outcome == .refused)
    }

    @Test(
        "durations are a number and a unit",
        arguments: [
            ("60s", 60), ("5m", 300), ("4h", 14_400), ("7d", 604_800), ("0s", nil), ("5", nil),
            ("m", nil), ("-5m", nil), ("05m", nil), ("5 m", nil), ("1w", nil),
        ] as [(String, Int64?)])
    func durations(_ text: String, _ seconds: Int64?) {
        #expect(DurationOption(argument: text)?.seconds == seconds)
    }

    @Test(
        "addresses of agents are https, a host and maybe a port",
        arguments: [
            ("https://web-1", "https://web-1:5555"),
            ("https://web-1:1/", "https://web-1:1"),
            ("HTTPS://10.0.2.15", "https://10.0.2.15:5555"),
            ("https://[::1]:80", "https://[::1]:80"), ("https://[::1]", "https://[::1]:5555"),
            ("http://web-1", nil), ("web-1", nil), ("https://", nil), ("https://u@web-1", nil),
            ("https://web-1/path", nil), ("https://web-1:0", nil), ("https://web-1:70000", nil),
        ] as [(String, String?)])
    func addresses(_ text: String, _ origin: String?) {
        #expect((try? ServerAddress(url: text, defaultPort: 5555, "--url"))?.origin == origin)
    }

    @Test("a progress bar never says that it is done")
    func progress() {
        let status = SnapshotStatus(
            state: .running, files: 500, bytes: 12_345_678, expectedFiles: 400)
        #expect(
            ProgressBar.line(status, milliseconds: 3400)
                == "[#######################.] 99 %  500 of about 400 files, 12.3 MB, 3 s")
        let unknown = SnapshotStatus(state: .running, files: 5, bytes: 999)
        #expect(ProgressBar.line(unknown, milliseconds: 0) == "5 files, 999 B, 0 s")
    }
}
