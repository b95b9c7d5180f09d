import ArgumentParser
import Bytes
import Evidence
import Testing

@testable import SimulatedPSP

@Suite("Parts of the simulator")
struct PartsTests {
    @Test("versions are encoded where the product has them")
    func layouts() throws {
        let changes = "bootloader=1,tee=2,snp=3,microcode=4"
        #expect(
            try SimulatedTCB(product: .milan, changes: changes).raw.hex == "0102000000000304")
        #expect(
            try SimulatedTCB(product: .turin, changes: changes + ",fmc=9").raw.hex
                == "0901020300000004")
    }

    @Test(
        "a list of versions is refused where it says nothing that the product has",
        arguments: ["snp", "snp=", "snp=256", "snp=-1", "fmc=1", "SNP=1", "=1", "snp=1=2"])
    func badVersions(list: String) {
        #expect(throws: PSPFault.self) { try SimulatedTCB(product: .milan, changes: list) }
    }

    @Test("a recording comes back, and no shorter or longer one does")
    func recordings() throws {
        let answer = Answer(report: [1, 2, 3], certificates: [4, 5])
        #expect(try Answer(recorded: answer.recorded) == answer)
        for count in answer.recorded.indices {
            #expect(throws: ParseError.self) {
                try Answer(recorded: Array(answer.recorded.prefix(count)))
            }
        }
        #expect(throws: ParseError.self) { try Answer(recorded: answer.recorded + [0]) }
    }

    @Test("faults are written as they are read")
    func faultNames() {
        for name in [
            "no-certs", "wrong-root", "bad-signature", "low-tcb", "debug", "record=a=b",
            "replay=/tmp/x", "platform-info=0x67", "mitigations=0x1,0x3", "qe-status=OutOfDate",
            "rtmr3-extended",
        ] {
            #expect(Fault(argument: name)?.name == name)
        }
        for entry in Fault.catalogue where entry.parameter == nil {
            #expect(Fault(argument: entry.name)?.name == entry.name)
        }
        for name in [
            "", "nothing", "record", "replay=", "debug=1", "mitigations=1", "mitigations=1,2,3",
            "platform-info=x", "qe-status=Fine", "platform-status",
        ] {
            #expect(Fault(argument: name) == nil)
        }
    }

    @Test("text of any kind stays one JSON string on one line")
    func jsonText() throws {
        let text = "a\"b\\c\n\u{1}\u{1f}é"
        let line = JSONText.object([
            ("k", .string(text)), ("n", 3), ("o", .object([])), ("x", .null),
        ])
        #expect(!line.contains("\n"))
        let value = try JSONReader.parse(
            Array(line.utf8), limits: JSONReader.Limits(byteCount: 1000))
        #expect(value["k"]?.string == text)
        #expect(value["n"]?.integer == 3)
    }

    @Test(
        "wrong usage is refused before anything is made",
        arguments: [
            ["init", "--product", "Milan"], ["init", "--dir", "x", "--product", "Rome"],
            ["init", "--dir", "x", "--product", "Milan", "--key", "none"],
            ["serve", "--dir", "x", "--mailbox", "y", "--firmware", "z", "--fault", "unbound-key"],
            ["tdx", "serve", "--dir", "x", "--mailbox", "y", "--mrtd", "00"],
            ["tdx", "collateral", "--dir", "x"],
            ["measure"], ["measure", "--firmware", "f", "--append", "x"],
            ["measure", "--firmware", "f", "--vcpus", "0"], ["nothing"],
        ])
    func usage(arguments: [String]) {
        #expect(throws: (any Error).self) { try Program.parseAsRoot(arguments) }
    }
}
