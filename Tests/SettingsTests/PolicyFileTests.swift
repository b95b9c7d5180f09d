import Bytes
import Evidence
import Foundation
import Policy
import Settings
import Testing

@Suite("Policy file")
struct PolicyFileTests {
    /// The example of docs/policy.md, with digests shortened there.
    private static let full = """
        name = "web"
        description = "the web servers"
        class = "cpu"
        anchor = "host-data"
        vmpl = 0
        signing_key = ["vcek", "vlek"]
        providers = ["aws"]
        mitigations = "0x3"

        [[measurement]]
        label = "image 2026-11"
        sha384 = "\(hex("a1", 48))"
        covers = ["firmware", "kernel", "initramfs", "command line", "config"]

        [[measurement]]
        label = "image 2026-10"
        sha384 = "\(hex("10", 48))"
        covers = ["firmware", "kernel", "initramfs", "command line"]

        [minimum_tcb.Genoa]
        bootloader = 10
        tee = 0
        snp = 23
        microcode = 84

        [minimum_tcb.Turin]
        fmc = 1
        bootloader = 1
        tee = 1
        snp = 4
        microcode = 81

        [guest_policy]
        debug = false
        migration = false
        minimum_abi = "0.31"
        smt = true
        cxl = false

        [platform]
        tsme = false
        alias_check = true

        [endorsements]
        revocation_list = true
        maximum_age_days = 30

        [id_block]
        id_key_sha384 = ["\(hex("1d", 48))"]
        author_key_sha384 = ["\(hex("aa", 48))"]

        [chips]
        allow = ["\(hex("c4", 64))", "0102030405060708"]
        deny = ["\(hex("dd", 64))"]
        """

    private static func hex(_ byte: String, _ count: Int) -> String {
        String(repeating: byte, count: count)
    }

    private func error(_ text: String) -> String {
        do {
            _ = try AppraisalPolicy(toml: text)
            return "accepted"
        } catch {
            return error.description
        }
    }

    @Test("is read with every key")
    func everyKey() throws {
        let rules = try AppraisalPolicy(toml: Self.full).rules
        #expect(rules.name == "web" && rules.description == "the web servers")
        #expect(rules.lowestClass == .cpu && rules.anchor == .hostData && rules.vmpl == 0)
        #expect(rules.signingKeys == [.vcek, .vlek])
        #expect(rules.measurements.map(\.label) == ["image 2026-11", "image 2026-10"])
        #expect(rules.measurements[0].covers == Set(Coverage.allCases))
        #expect(rules.measurements[0].registers.description == Self.hex("a1", 48))
        #expect(rules.minimumTCB[.genoa] == [.bootloader: 10, .tee: 0, .snp: 23, .microcode: 84])
        #expect(rules.minimumTCB[.turin]?[.fmc] == 1)
        #expect(rules.minimumTCB[.milan] == nil)
        #expect(!rules.allowsDebug && !rules.allowsMigration)
        #expect(rules.guestPolicy == [.smt: true, .cxl: false])
        #expect(rules.minimumABI == ABIVersion(major: 0, minor: 31))
        #expect(rules.platform == [.tsme: false, .aliasCheck: true])
        #expect(rules.providers == ["aws"] && rules.mitigations == 3)
        #expect(rules.requiresRevocationList && rules.maximumEndorsementAge == 30)
        #expect(rules.idKeyDigests.count == 1 && rules.authorKeyDigests.count == 1)
        #expect(rules.deniedChips.map { $0.hex } == [Self.hex("dd", 64)])
        let turin = "0102030405060708" + String(repeating: "0", count: 112)
        #expect(Set(rules.allowedChips.map { $0.hex }) == [Self.hex("c4", 64), turin])
    }

    @Test("is read with the tables of TDX, TPM and log")
    func platforms() throws {
        let digest = Self.hex("7d", 48)
        let rules = try AppraisalPolicy(
            toml: """
                name = "td"
                anchor = "mrconfigid"
                class = "host-vtpm"

                [[measurement]]
                label = "td 1"
                mrtd = "\(digest)"
                rtmr0 = "\(digest)"
                covers = ["firmware"]

                [tdx]
                tcb_status = { UpToDate = "always", OutOfDate = "2026-12-31T23:59:59Z" }
                attributes = { sept_ve_disable = true, perfmon = false }
                xfam = "0x600e7"
                modules = ["\(digest)"]
                mrowner = ["\(digest)"]
                mrownerconfig = ["\(digest)"]

                [tpm]
                required = true
                key_trust = ["tee-report"]
                allow_sha1 = false

                [[tpm.pcrs]]
                label = "uki"
                bank = "sha256"
                values = { 4 = "\(Self.hex("04", 32))", 11 = "\(Self.hex("11", 32))" }
                covers = ["kernel", "initramfs"]

                [boot]
                required = true
                secure_boot = true
                authorities = ["\(Self.hex("aa", 32))"]
                images = ["\(Self.hex("a1", 48))"]
                drivers = []
                command_lines = ["quiet"]
                allow_unexplained = false
                covers = ["command line"]
                """
        ).rules
        #expect(rules.measurements[0].registers.description == "MRTD \(digest), RTMR0 \(digest)")
        #expect(rules.tdx.statuses == [.upToDate: .always, .outOfDate: .until(1_798_761_599)])
        #expect(rules.tdx.attributes == [.septVEDisable: true, .perfmon: false])
        #expect(rules.tdx.xfam == 0x600e7 && rules.tdx.modules.count == 1)
        #expect(rules.tdx.owners.count == 1 && rules.tdx.ownerConfigs.count == 1)
        #expect(rules.tpm.isRequired && rules.tpm.keyTrusts == [.teeReport])
        #expect(rules.tpm.references[0].values.keys.sorted() == [4, 11])
        #expect(rules.boot.secureBoot == true && rules.boot.drivers == [])
        #expect(rules.boot.commandLines == ["quiet"] && !rules.boot.allowsUnexplained)
        #expect(rules.boot.covers == [.commandLine] && rules.boot.authorities.count == 1)
    }

    @Test(
        "is refused with the path of a wrong value of TDX, TPM and log",
        arguments: [
            ("tdx.tcb_status.UpToDate = 'soon'", "tdx.tcb_status.UpToDate: expected \"always\""),
            ("tdx.tcb_status.Fine = 'always'", "tdx.tcb_status.Fine: expected one of"),
            ("tdx.xfam = '600e7'", "tdx.xfam: expected hexadecimal bits"),
            ("tpm.key_trust = ['hope']", "tpm.key_trust"),
            ("tpm.key_trust = []", "tpm.key_trust"),
            ("[[tpm.pcrs]]\nlabel = 'a'\ncovers = []", "tpm.pcrs[0].values: expected at least one"),
            (
                "[[tpm.pcrs]]\nlabel = 'a'\ncovers = []\nvalues = { 24 = '00' }",
                "tpm.pcrs[0].values.24: expected one of"
            ),
            (
                "[[tpm.pcrs]]\nlabel = 'a'\ncovers = []\nvalues = { 4 = '00' }",
                "tpm.pcrs[0].values.4: expected 64 hexadecimal digits"
            ),
            (
                "[[tpm.pcrs]]\nlabel = 'a'\nbank = 'sha1'\ncovers = []\nvalues = { 4 = '\(hex("00", 20))' }",
                "tpm.pcrs[0].bank: expected sha256"
            ),
            ("boot.images = ['00']", "boot.images: expected 64, 96 or 128"),
            ("boot.covers = ['kernel']", "boot.covers: expected nothing without"),
        ])
    func platformErrors(text: String, expected: String) {
        let message = error("name = 'td'\n" + text)
        #expect(message.hasPrefix(expected), "\(message)")
    }

    @Test("keeps its identity when it is written in another way")
    func reordered() throws {
        let other = """
            # the same policy
            signing_key = [ 'vlek' , "vcek", ]   # reordered
            vmpl = 0x0
            "name" = 'web'
            providers = ["aws"]
            mitigations = "0x0003"
            endorsements.revocation_list = true
            endorsements.maximum_age_days = 30
            description = \"""
            the web \\
                servers\"""
            chips.deny = ["\(Self.hex("DD", 64))"]
            chips.allow = ["0102030405060708", "\(Self.hex("c4", 64))"]
            id_block = { author_key_sha384 = ["\(Self.hex("aa", 48))"], id_key_sha384 = ["\(Self.hex("1d", 48))"] }
            platform = { alias_check = true, tsme = false }
            measurement = [
              { covers = ["kernel", "firmware", "command line", "initramfs"], sha384 = "\(Self.hex("10", 48))", label = "image 2026-10" },
              { covers = ["config", "kernel", "firmware", "command line", "initramfs"], sha384 = "\(Self.hex("A1", 48))", label = "image 2026-11" },
            ]
            [guest_policy]
            cxl = false
            smt = true
            minimum_abi = "0.31"
            [minimum_tcb]
            Turin = { microcode = 81, snp = 4, tee = 1, bootloader = 1, fmc = 1 }
            Genoa.microcode = 84
            Genoa.snp = 0b10111
            Genoa.tee = 0
            Genoa.bootloader = 10
            """
        #expect(
            try AppraisalPolicy(toml: other).canonicalBytes
                == AppraisalPolicy(toml: Self.full).canonicalBytes)
        #expect(
            try AppraisalPolicy(toml: "\n# c\n" + Self.full.replacing(" = ", with: "   =\t"))
                .canonicalBytes == AppraisalPolicy(toml: Self.full).canonicalBytes)
    }

    @Test("loses its identity with any changed value")
    func changed() throws {
        let lines = Self.full.split(separator: "\n", omittingEmptySubsequences: false)
        let original = try AppraisalPolicy(toml: Self.full).canonicalBytes
        let changes = [
            ("\"web\"", "\"web2\""), ("the web servers", "them"), ("\"cpu\"", "\"svsm-vtpm\""),
            ("vmpl = 0", "vmpl = 1"), ("[\"vcek\", \"vlek\"]", "[\"vcek\"]"),
            ("image 2026-11", "image"), ("a1a1", "a1a2"), (", \"config\"]", "]"),
            ("= 10", "= 11"), ("= 0", "= 1"), ("= 23", "= 22"), ("= 84", "= 83"),
            ("= 81", "= 82"), ("fmc = 1", "fmc = 2"), ("snp = 4", "snp = 5"),
            ("debug = false", "debug = true"), ("migration = false", "migration = true"),
            ("\"0.31\"", "\"1.31\""), ("smt = true", "smt = false"), ("cxl = false", "cxl = true"),
            ("tsme = false", "tsme = true"), ("alias_check = true", "alias_check = false"),
            ("1d1d", "1d1e"), ("aaaa", "aaab"), ("c4c4", "c4c5"),
            ("0102030405060708", "0102030405060709"),
            ("dddd", "ddde"), ("2026-10", "2026-12"), ("1010", "1011"), ("tee = 1", "tee = 2"),
            ("bootloader = 1", "bootloader = 2"), ("line\"]", "line\", \"config\"]"),
            ("\"aws\"", "\"other\""), ("0x3", "0x1"), ("list = true", "list = false"),
            ("= 30", "= 31"),
        ]
        var changedLines: Set<Int> = []
        for (from, to) in changes {
            for (index, line) in lines.enumerated() where line.contains(from) {
                var copy = lines.map(String.init)
                copy[index] = String(line).replacing(from, with: to, maxReplacements: 1)
                let text = copy.joined(separator: "\n")
                #expect(try AppraisalPolicy(toml: text).canonicalBytes != original, "\(line)")
                changedLines.insert(index)
            }
        }
        // `anchor` has only one other value that loads, and that one wants other measurements.
        let values = lines.indices.filter {
            lines[$0].contains("=") && !lines[$0].contains("anchor")
        }
        #expect(changedLines == Set(values))
    }

    @Test("of the documentation is read")
    func documented() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/policy.md").standardized
        let text = try String(contentsOf: page, encoding: .utf8)
        let start = try #require(text.firstRange(of: "```toml\n")).upperBound
        let end = try #require(text[start...].firstRange(of: "\n```")).lowerBound
        let rules = try AppraisalPolicy(toml: String(text[start..<end])).rules
        #expect(rules.name == "web" && rules.platform == [.aliasCheck: true])
        #expect(rules.minimumTCB.count == 2 && rules.allowedChips.isEmpty)
    }

    @Test("with a name only permits nothing but loads")
    func nameOnly() throws {
        #expect(try AppraisalPolicy(toml: "name = 'web'").rules == PolicyRules(name: "web"))
    }

    @Test("with bytes changed at random is read or refused in one line")
    func mutated() {
        // A generator of our own, so that a failure can be repeated.
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let interesting = Array("[]{}=\"'\\#.,\n-_e09u\u{0}\u{7f}é".utf8)
        for _ in 0..<500 {
            var bytes = Array(Self.full.utf8)
            for _ in 0...next(4) {
                let start = next(bytes.count)
                switch next(3) {
                case 0: bytes[start] = interesting[next(interesting.count)]
                case 1: bytes.removeSubrange(start..<min(bytes.count, start + 1 + next(40)))
                default: bytes.insert(interesting[next(interesting.count)], at: start)
                }
            }
            let message = error(String(decoding: bytes, as: UTF8.self))
            #expect(message.firstIndex(where: { $0.isNewline }) == nil)
        }
    }

    @Test("that is empty is refused")
    func empty() {
        #expect(error("") == "name: expected a text, got nothing")
    }

    @Test(
        "is refused with the key's path",
        arguments: [
            ("vmlp = 0", "vmlp: expected one of anchor, boot, chips, class, "),
            ("class = 'best'", "class: expected \"host-vtpm\", "),
            ("anchor = 'hostdata'", "anchor: expected \"host-data\", \"mrconfigid\", "),
            ("vmpl = 4", "vmpl: expected an integer from 0 to 3, got the integer 4"),
            ("signing_key = 'vcek'", "signing_key: expected a list of texts, got "),
            ("signing_key = []", "signing_key: expected vcek, vlek or both, got an empty list"),
            ("signing_key = ['vcek', 'vcek']", "signing_key[1]: expected each value once, got "),
            ("signing_key = ['none']", "signing_key[0]: expected \"vcek\", \"vlek\", got "),
            ("[measurement]\nlabel = 'a'", "measurement: expected [[measurement]] tables, got "),
            ("[[measurement]]", "measurement[0].label: expected a text, got nothing"),
            (
                "[[measurement]]\nlabel = 'a'",
                "measurement[0].sha384: expected sha384 of SNP, or mrtd with rtmr0 to rtmr2 of TDX, got"
            ),
            (
                "[[measurement]]\nlabel = 'a'\nsha384 = 'abc'",
                "measurement[0].sha384: expected 96 hexadecimal digits, got the text \"abc\""
            ),
            (
                "[[measurement]]\nlabel = 'a'\nsha384 = '\(hex("a1", 48))'",
                "measurement[0].covers: expected a list of what the measurement covers, got nothing"
            ),
            (
                "[[measurement]]\nlabel = 'a'\nsha384 = '\(hex("a1", 48))'\ncovers = ['firmware']",
                "measurement[0].covers: expected at least firmware, kernel, initramfs, command line, "
                    + "got no kernel, initramfs, command line,"
            ),
            ("minimum_tcb.Rome.snp = 1", "minimum_tcb.Rome: expected one of Genoa, Milan, Turin, "),
            (
                "minimum_tcb.Milan.snp = 1",
                "minimum_tcb.Milan.bootloader: expected an integer from 0 to 255, got nothing"
            ),
            (
                "minimum_tcb.Milan = { fmc = 1, bootloader = 1, tee = 1, snp = 1, microcode = 1 }",
                "minimum_tcb.Milan.fmc: expected one of bootloader, microcode, snp, tee, "
            ),
            (
                "minimum_tcb.Milan = { bootloader = 256 }",
                "minimum_tcb.Milan.bootloader: expected an integer from 0 to 255, got the integer 256"
            ),
            ("guest_policy.debug = 0", "guest_policy.debug: expected true or false, got "),
            ("guest_policy.sev_es = true", "guest_policy.sev_es: expected one of "),
            (
                "guest_policy.minimum_abi = 1.55",
                "guest_policy.minimum_abi: expected a text, got the fraction 1.55"
            ),
            (
                "guest_policy.minimum_abi = '1.055'",
                "guest_policy.minimum_abi: expected a version such as \"1.55\", got "
            ),
            ("id_block.id_key_sha384 = ['00']", "id_block.id_key_sha384: expected 96 hexadecimal"),
            ("chips.allow = ['0102']", "chips.allow: expected 128 hexadecimal digits, or 16 for "),
            (
                "chips = { allow = ['0102030405060708'], deny = ['0102030405060708'] }",
                "chips: expected each chip in one list, got "
            ),
        ])
    func errors(text: String, expected: String) {
        let message = error("name = 'web'\n" + text)
        #expect(message.hasPrefix(expected), "\(message)")
    }
}
