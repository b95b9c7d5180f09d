import Bytes
import Evidence
import Policy
import Testing

@Suite("A policy is refused at load")
struct ValidationTests {
    private func error(_ change: (inout PolicyRules) -> Void) -> PolicyError? {
        var rules = Sample.rules()
        change(&rules)
        do {
            _ = try AppraisalPolicy(validating: rules)
            return nil
        } catch {
            return error
        }
    }

    @Test("with a measurement that leaves open what boots", arguments: Coverage.allCases)
    func coverage(missing: Coverage) {
        let error = error { $0.measurements[0].covers.remove(missing) }
        guard missing != .config else {
            #expect(error == nil)
            return
        }
        #expect(error?.path == "measurement[0].covers")
        #expect(error?.actual.hasPrefix("no \(missing.rawValue),") == true)
    }

    @Test("with anchor measured-image and a measurement without config")
    func measuredImage() {
        #expect(error { $0.anchor = .measuredImage }?.path == "measurement[1].covers")
    }

    @Test(
        "with a name that is no file name",
        arguments: ["", "Web", "-web", ".", "a/b", "wéb", String(repeating: "a", count: 65)])
    func name(name: String) {
        #expect(error { $0.name = name }?.path == "name")
    }

    @Test("with a measurement twice, or two of one label")
    func duplicates() {
        #expect(
            error { $0.measurements[1].registers = $0.measurements[0].registers }?.path
                == "measurement[1]")
        #expect(
            error { $0.measurements[1].label = $0.measurements[0].label }?.path
                == "measurement[1].label")
        #expect(error { $0.measurements[0].label = "" }?.path == "measurement[0].label")
        #expect(
            error { $0.measurements[0].label = "a\u{1b}[2J" }?.description
                == #"measurement[0].label: expected no control characters, got "a\u{1B}[2J""#)
    }

    @Test("with a minimum TCB that lacks a part or names one too many")
    func minimumTCB() {
        #expect(
            error { $0.minimumTCB[.genoa]?[.microcode] = nil }
                == PolicyError(
                    path: "minimum_tcb.Genoa.microcode", expected: "0 to 255", actual: "nothing"))
        #expect(
            error { $0.minimumTCB[.genoa]?[.fmc] = 1 }?.path == "minimum_tcb.Genoa.fmc")
    }

    @Test("with no key that may sign, or with unsigned reports")
    func signingKeys() {
        #expect(error { $0.signingKeys = [] }?.path == "signing_key")
        #expect(error { $0.signingKeys = [.vcek, .none] }?.path == "signing_key")
    }

    @Test("with a chip that is allowed and denied")
    func chips() {
        #expect(error { $0.deniedChips.insert(fixed(0xc4)) }?.path == "chips")
    }

    @Test("with a VMPL that does not exist or too long a description")
    func bounds() {
        #expect(error { $0.vmpl = 4 }?.path == "vmpl")
        #expect(
            error { $0.description = String(repeating: "a", count: 1025) }?.path == "description")
    }

    @Test("with one line that says where, what was expected and what was there")
    func description() {
        #expect(error { $0.vmpl = 4 }?.description == "vmpl: expected 0 to 3, got 4")
    }
}

@Suite("Launch classes")
struct LaunchClassTests {
    @Test("are ordered by trust")
    func order() {
        #expect(
            LaunchClass.allCases.sorted() == [.hostVTPM, .paravisorVTPM, .svsmVTPM, .cpu])
    }
}
