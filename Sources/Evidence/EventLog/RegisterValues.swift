public import Bytes

/// What registers hold, by bank and by register number in the sense of an ``EventLog/Source``.
public struct RegisterValues: Sendable, Equatable {
    /// The values of each bank; those of a bank are of its digest's size.
    public private(set) var banks: [HashAlgorithm: [Int: [UInt8]]] = [:]

    /// No register at all.
    public init() {}

    /// The runtime measurement registers of a TD, in order: RTMR0 becomes register 1.
    public init(rtmr: [FixedBytes<48>]) {
        for (index, value) in rtmr.enumerated() {
            self[.sha384, index + 1] = value.bytes
        }
    }

    /// The registers of a TPM, by the same numbers.
    public init(_ values: PCRValues) {
        for (bank, registers) in values.banks {
            for (index, value) in registers { self[bank, Int(index)] = value }
        }
    }

    /// One register of one bank; setting a value of another size than the bank's takes it out.
    public subscript(bank: HashAlgorithm, register: Int) -> [UInt8]? {
        get { banks[bank]?[register] }
        set {
            guard let newValue, newValue.count == bank.size else {
                banks[bank]?[register] = nil
                if banks[bank]?.isEmpty == true { banks[bank] = nil }
                return
            }
            banks[bank, default: [:]][register] = newValue
        }
    }

    /// Every register that has a value in some bank, ascending.
    public var registers: [Int] { Set(banks.values.flatMap(\.keys)).sorted() }
}

extension EventLog {
    /// What the registers hold once every event has been extended; registers without an event are left out,
    /// but for a PCR 0 whose startup locality the log names.
    ///
    /// New value = H(old value || digest); they start at zero, PCR 0 with the startup locality as its last
    /// byte (PFP, section 10.4.5.3).
    public func replay(_ hashing: some Hashing) -> RegisterValues {
        var values = RegisterValues()
        for bank in banks {
            if let startupLocality {
                var start = [UInt8](repeating: 0, count: bank.size)
                start[bank.size - 1] = startupLocality
                values[bank, 0] = start
            }
            for event in events where event.extends {
                guard let digest = event.digest(bank) else { continue }
                let old = values[bank, event.register] ?? [UInt8](repeating: 0, count: bank.size)
                values[bank, event.register] = hashing.digest(bank, old + digest)
            }
        }
        return values
    }

    /// Registers with more EV_SEPARATOR events than the profiles put there, and how many.
    ///
    /// A second one can make what an attacker measured look like the firmware's own. A PCR has at most
    /// one (PFP, section 2.3.4). Two PCRs share RTMR0 and five share RTMR1 (UEFI 2.10, section 38.4.1), and their
    /// separators with them.
    public var surplusSeparators: [Int: Int] {
        var counts: [Int: Int] = [:]
        for event in events where event.type == .separator {
            counts[event.register, default: 0] += 1
        }
        return counts.filter { register, count in
            switch (source, register) {
            case (.tpm, _): count > 1
            case (.confidentialComputing, 1): count > 2
            case (.confidentialComputing, 2): count > 5
            case (.confidentialComputing, _): count > 1
            }
        }
    }
}
