import Bytes
import Evidence
import Policy
import Verification

/// Event logs of TPMs and TDs, replayed to given registers.
struct EventLogCases {
    let files: CaseFiles

    /// A log by itself: it has to be readable, and lead to the registers of the inputs where there are any.
    func log() throws(VectorFault) -> Verdict {
        try files.one.require(onlyPolicy: ["strict_separators"])
        let isTD = files.entry.kind == "ccel"
        return verdict(
            try files.required(isTD ? "ccel-event-log" : "tcg-event-log"),
            from: isTD ? .confidentialComputing : .tpm, registers: try registers())
    }

    func verdict(
        _ bytes: [UInt8], from source: EventLog.Source, registers: RegisterValues
    ) -> Verdict {
        let verifier = EventLogVerifier(isStrict: files.one.flag("strict_separators"))
        return Verdict(verifier.verify(bytes: bytes, from: source, registers: registers).findings)
    }

    func verdict(_ log: EventLog, registers: RegisterValues) -> Verdict {
        let verifier = EventLogVerifier(isStrict: files.one.flag("strict_separators"))
        return Verdict(verifier.verify(log: log, registers: registers).findings)
    }

    private func registers() throws(VectorFault) -> RegisterValues {
        var registers = RegisterValues()
        for bank in files.one.inputs["registers"]?.members ?? [] {
            guard let algorithm = HashAlgorithm(rawValue: bank.name) else {
                throw VectorFault("inputs.registers.\(bank.name): no such bank")
            }
            for register in bank.value.members ?? [] {
                guard let index = Int(register.name), (0..<32).contains(index),
                    let value = register.value.string.flatMap(Hex.decode),
                    value.count == algorithm.size
                else {
                    throw VectorFault("inputs.registers.\(bank.name).\(register.name): unusable")
                }
                registers[algorithm, index] = value
            }
        }
        return registers
    }
}
