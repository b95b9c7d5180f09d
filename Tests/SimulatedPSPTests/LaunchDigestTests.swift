import Bytes
import OpenSSL
import Testing

@testable import SimulatedPSP

@Suite("The simulated launch digest")
struct LaunchDigestTests {
    private let inputs = LaunchInputs(
        firmware: Array("firmware".utf8), vcpus: 2, kernel: Array("kernel".utf8),
        initrd: Array("initrd".utf8), commandLine: "console=ttyS0")

    private func measure(_ change: (inout LaunchInputs) -> Void = { _ in }) -> String {
        var changed = inputs
        change(&changed)
        return changed.measurement(hashing: OpenSSLHashing()).hex
    }

    @Test("is the one that docs/simulated-psp.md describes")
    func golden() {
        #expect(
            measure()
                == "9622112e4a4c373c4887ab31f153b102ae018592de4516e6"
                + "9e5cf762613e4fc7c31bbe075faa08ec2eb378b5824b9c8e"
        )
    }

    @Test("changes with every part of a launch")
    func coversEverything() {
        let all = [
            measure(), measure { $0.firmware[0] ^= 1 }, measure { $0.vcpus = 3 },
            measure { $0.kernel[0] ^= 1 }, measure { $0.initrd[5] ^= 1 },
            measure { $0.commandLine += " " },
            measure { swap(&$0.kernel, &$0.initrd) },
        ]
        #expect(Set(all).count == all.count)
    }
}
