public import Bytes

extension BootFacts {
    /// Takes from `log` what its events prove.
    ///
    /// - Parameters:
    ///   - proven: the banks of each register that were found to replay to a value that a quote
    ///     vouches for. Events that extend none of them are passed over, as if they were not there.
    ///   - untouched: registers that are vouched for, hold nothing, and that the log does not speak of.
    ///   - phases: what PCR 11 holds beyond the log, see ``phases``.
    public init(
        _ log: EventLog, proven: [Int: Set<HashAlgorithm>], untouched: Set<Int> = [],
        phases: [String] = [], hashing: some Hashing
    ) {
        var reader = BootFactsReader(log.source, hashing)
        for (index, event) in log.events.enumerated() where event.extends {
            let banks = proven[event.register, default: []]
            let digests = event.digests.filter { banks.contains($0.algorithm) }
            guard !digests.isEmpty else { continue }
            reader.take(event, at: index, digests)
        }
        self = reader.facts
        self.phases = phases
        registers = untouched.union(proven.keys)
    }
}

/// Reads events one after the other; the facts of some depend on those before them.
struct BootFactsReader<H: Hashing> {
    var facts: BootFacts
    let hashing: H
    /// Secure Boot's variables that were seen before the separator.
    private var secureBootValues: Set<[UInt8]> = []
    /// What is in ``BootFacts/authorities`` and ``BootFacts/commandLines``, which may be long.
    private var authorities: Set<BootFacts.Authority> = []
    private var commandLines: Set<BootFacts.CommandLine> = []
    /// The section whose name was measured last, and whose contents come next.
    private var section: String?

    init(_ source: EventLog.Source, _ hashing: H) {
        facts = BootFacts(source: source)
        self.hashing = hashing
    }

    mutating func take(_ event: EventLog.Event, at index: Int, _ digests: [EventLog.Digest]) {
        let one = MeasuredEvent(event: event, index: index, digests: digests)
        if let reason = fault(one) {
            facts.unexplained.append(
                BootFacts.Unexplained(
                    index: index, register: event.register, type: event.type, reason: reason))
        }
    }

    /// Reads one event; the result says why it counts for nothing.
    private mutating func fault(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        switch one.event.type {
        case .separator: separator(one)
        case .variableDriverConfig: variable(one)
        case .variableAuthority: authority(one)
        case .bootServicesApplication: application(one)
        case .bootServicesDriver, .runtimeServicesDriver: driver(one)
        case .ipl: ipl(one)
        case .eventTag: tagged(one)
        case .efiAction: action(one)
        case .gptEvent: partitions(one)
        case .variableBoot where isIn(one, 2): bootVariable(one)
        case .runtime:
            one.event.register == 4
                ? matches(one, one.event.data) ? nil : .digestMismatch : .wrongRegister
        case .omitBootDeviceEvents: .omission
        default: one.event.type.isKnown ? opaque(one) : .unknownType
        }
    }

    /// What the profile names and nobody can compute again: only where it cannot hide an image, an
    /// authority or a command line.
    private mutating func opaque(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        let isHarmless =
            switch facts.source {
            case .tpm: ![2, 4, 7, 8, 9, 12].contains(one.event.register)
            case .confidentialComputing: [0, 1, 4].contains(one.event.register)
            }
        guard isHarmless else { return .wrongRegister }
        facts.opaqueRegisters.insert(one.event.register)
        return nil
    }

    /// Whether every proven digest is that of `data`.
    func matches(_ one: MeasuredEvent, _ data: [UInt8]) -> Bool {
        one.digests.allSatisfy { hashing.digest($0.algorithm, data) == $0.bytes }
    }

    /// Whether the event's register is the one that PFP's `pcrs` are, or are part of in a TD.
    ///
    /// UEFI 2.10, section 38.4.1: PCR 1 and 7 go to RTMR0, 2 to 6 to RTMR1, 8 to 15 to RTMR2.
    private func isIn(_ one: MeasuredEvent, _ pcrs: Int...) -> Bool {
        pcrs.contains { pcr in
            switch facts.source {
            case .tpm: one.event.register == pcr
            case .confidentialComputing:
                switch pcr {
                case 0: one.event.register <= 1
                case 1, 7: one.event.register == 1
                case 2...6: one.event.register == 2
                default: one.event.register == 3
                }
            }
        }
    }

    private mutating func separator(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        guard matches(one, one.event.data) else { return .digestMismatch }
        facts.separators[one.event.register, default: 0] += 1
        // PFP, section 10.4.1: 1 stands for a failure. Windows ends its own registers with "WBCL".
        switch one.event.data {
        case [0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], Array("WBCL".utf8): return nil
        case [1, 0, 0, 0]:
            facts.failedRegisters.insert(one.event.register)
            return nil
        default: return .malformedData
        }
    }

    /// A text of the firmware's, so that it can be nothing else: neither an image nor a variable is text.
    private func action(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        guard isIn(one, 0, 1, 2, 3, 4, 5, 6, 7) else { return .wrongRegister }
        guard matches(one, one.event.data) else { return .digestMismatch }
        let isText = one.event.data.dropLast().allSatisfy { (0x20...0x7e).contains($0) }
        return isText ? nil : .malformedData
    }

    /// UEFI_GPT_DATA: the header of the table is first. In a TD it shares a register with images.
    private func partitions(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        guard isIn(one, 5) else { return .wrongRegister }
        guard matches(one, one.event.data) else { return .digestMismatch }
        return one.event.data.starts(with: "EFI PART".utf8) ? nil : .malformedData
    }

    /// Some TDs measure boot variables where images are; what is hashed is the contents, or all of it.
    private func bootVariable(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        guard let variable = try? UEFIVariable(parsing: one.event.data) else {
            return .malformedData
        }
        guard matches(one, variable.data) || matches(one, one.event.data) else {
            return .digestMismatch
        }
        // What is hashed of an image begins so, and would pass for contents.
        return variable.data.starts(with: "MZ".utf8) ? .malformedData : nil
    }

    private mutating func variable(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        guard isIn(one, 7, 1) else { return .wrongRegister }
        guard matches(one, one.event.data) else { return .digestMismatch }
        guard let variable = try? UEFIVariable(parsing: one.event.data) else {
            return .malformedData
        }
        guard let name = Self.secureBootVariable(variable) else {
            // Behind the separator it may be what an image was let in for, under another type.
            guard facts.separators[one.event.register] != nil else { return nil }
            guard facts.source == .confidentialComputing else { return .afterSeparator }
            facts.opaqueRegisters.insert(one.event.register)
            return nil
        }
        // Behind the separator anybody could have measured it. In a TD the separator of PCR 7 comes first.
        guard facts.separators[one.event.register] == nil else { return .afterSeparator }
        if name == "SecureBoot" {
            secureBootValues.insert(variable.data)
            guard secureBootValues.count == 1 else {
                facts.secureBoot = nil
                return .contradiction
            }
            guard variable.data.count <= 1 else { return .malformedData }
            facts.secureBoot = variable.data == [1]
            return nil
        }
        let fact = BootFacts.Variable(
            sha256: hashing.sha256(variable.data), isEmpty: variable.data.isEmpty,
            certificates: (variable.certificates ?? []).map(hashing.sha256))
        guard facts.variables[name].map({ $0 == fact }) ?? true else { return .contradiction }
        facts.variables[name] = fact
        return nil
    }

    /// The variable's name, if it is one of Secure Boot's and of the vendor that it belongs to.
    private static func secureBootVariable(_ variable: UEFIVariable) -> String? {
        switch variable.vendor.hex {
        case UEFIVariable.global:
            ["SecureBoot", "PK", "KEK", "DeployedMode", "AuditMode"].first { $0 == variable.name }
        case UEFIVariable.imageSecurity:
            ["db", "dbx", "dbt", "dbr"].first { $0 == variable.name }
        default: nil
        }
    }

    private mutating func authority(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        guard isIn(one, 7) else { return .wrongRegister }
        var data = one.event.data
        if !matches(one, data) {
            // Older shims write one byte more than they hash, and some before it that the lengths
            // leave out: the size of their C structure with its padding.
            data = Array(data.dropLast())
            guard matches(one, data) else { return .digestMismatch }
        }
        guard let variable = try? UEFIVariable(parsing: data, slack: 8) else {
            return .malformedData
        }
        // EFI_SIGNATURE_DATA has its owner's GUID in front; shim leaves it out for some.
        let certificate = [variable.data, Array(variable.data.dropFirst(16))].first(
            where: Self.isDER)
        let authority = BootFacts.Authority(
            variable: variable.name, sha256: hashing.sha256(certificate ?? variable.data),
            isCertificate: certificate != nil)
        if authorities.insert(authority).inserted { facts.authorities.append(authority) }
        return nil
    }

    /// Whether `data` is one DER SEQUENCE with a length of two bytes, as certificates are.
    private static func isDER(_ data: [UInt8]) -> Bool {
        data.count > 4 && data.starts(with: [0x30, 0x82])
            && Int(data[2]) << 8 | Int(data[3]) == data.count - 4
    }

    private mutating func application(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        // Option ROMs bring applications too, which are measured beside them.
        guard isIn(one, 4, 2) else { return .wrongRegister }
        facts.bootApplications.append(one.image)
        if facts.source == .tpm, !isIn(one, 4) { facts.drivers.append(one.image) }
        return nil
    }

    private mutating func driver(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        guard isIn(one, 0, 2, 4) else { return .wrongRegister }
        facts.drivers.append(one.image)
        // The type is not hashed: what was started to boot could be called a driver.
        if facts.source == .tpm, isIn(one, 4) { facts.bootApplications.append(one.image) }
        return nil
    }
}

extension BootFactsReader {
    /// EV_IPL is free for all; what is known is told by register and data.
    private mutating func ipl(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        guard isIn(one, 8, 9, 10, 11, 12, 13, 14, 15) else { return .wrongRegister }
        if let name = one.sectionName, isIn(one, 11) { return unifiedSection(one, name) }
        for prefix in ["kernel_cmdline: ", "grub_kernel_cmdline "]
        where one.event.data.starts(with: prefix.utf8) {
            return grubCommandLine(one, prefix)
        }
        for prefix in ["grub_cmd: ", "grub_cmd "] where one.event.data.starts(with: prefix.utf8) {
            guard let command = text(one, behind: prefix) else { return .digestMismatch }
            // The prefix is not hashed. A command line begins with the kernel's path, no command does.
            return command.hasPrefix("/") || command.hasPrefix("(") ? .malformedData : nil
        }
        guard isIn(one, 12, 8), let line = one.utf16Text, matches(one, one.event.data) else {
            // Names of files, whose contents are what was hashed: nothing more can be said.
            facts.opaqueRegisters.insert(one.event.register)
            return nil
        }
        add(BootFacts.CommandLine(source: .systemdStub, text: line, digests: one.image.digests))
        return nil
    }

    /// systemd-stub(7): for each section first its name, with the NUL, and then its contents.
    private mutating func unifiedSection(
        _ one: MeasuredEvent, _ name: String
    ) -> BootFacts.Unexplained.Reason? {
        if section == name {
            section = nil
            guard !facts.ukiSections.contains(where: { $0.name == name }) else {
                return .contradiction
            }
            facts.ukiSections.append(
                BootFacts.Section(name: name, digests: one.image.digests))
            return nil
        }
        guard section == nil, matches(one, Array(name.utf8) + [0]) else { return .digestMismatch }
        section = name
        return nil
    }

    /// GRUB hashes the text behind the prefix; the byte behind the text is its end, or anything.
    private func text(_ one: MeasuredEvent, behind prefix: String) -> String? {
        let rest = one.event.data.dropFirst(prefix.utf8.count)
        let text = (0...2).map { Array(rest.dropLast($0)) }.first { matches(one, $0) }
        return text.flatMap { String(validating: $0, as: UTF8.self) }
    }

    private mutating func grubCommandLine(
        _ one: MeasuredEvent, _ prefix: String
    ) -> BootFacts.Unexplained.Reason? {
        guard let line = text(one, behind: prefix) else { return .digestMismatch }
        guard isIn(one, 8) else { return .wrongRegister }
        add(BootFacts.CommandLine(source: .grub, text: line, digests: one.image.digests))
        return nil
    }

    /// Tags of the kernel's EFI stub (Linux, drivers/firmware/efi/libstub/efistub.h).
    private mutating func tagged(_ one: MeasuredEvent) -> BootFacts.Unexplained.Reason? {
        switch one.tag {
        case 0x8f3b_22ec where isIn(one, 9):
            // One for all of them; a second one would be something else under this name.
            guard facts.initrds.isEmpty else { return .contradiction }
            facts.initrds.append(one.image)
            facts.opaqueRegisters.insert(one.event.register)
            return nil
        case 0x8f3b_22ed where isIn(one, 9):
            add(BootFacts.CommandLine(source: .linuxStub, text: nil, digests: one.image.digests))
            return nil
        default:
            let isLoaders =
                switch facts.source {
                case .tpm: one.event.register == 5 || one.event.register >= 8
                case .confidentialComputing: one.event.register >= 3
                }
            guard isLoaders else { return .wrongRegister }
            guard matches(one, one.event.data) else { return .digestMismatch }
            facts.opaqueRegisters.insert(one.event.register)
            return nil
        }
    }

    private mutating func add(_ line: BootFacts.CommandLine) {
        if commandLines.insert(line).inserted { facts.commandLines.append(line) }
    }
}

/// An event with those of its digests that a quote vouches for.
struct MeasuredEvent {
    let event: EventLog.Event
    let index: Int
    let digests: [EventLog.Digest]

    var image: BootFacts.Image {
        BootFacts.Image(
            digests: Dictionary(uniqueKeysWithValues: digests.map { ($0.algorithm, $0.bytes) }))
    }

    /// The number in front of tagged data.
    var tag: UInt32? {
        guard event.data.count >= 8 else { return nil }
        return event.data.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The data as UTF-16 with its end, without it.
    var utf16Text: String? {
        guard event.data.count > 2, event.data.suffix(2) == [0, 0] else { return nil }
        return String(utf16LittleEndian: Array(event.data.dropLast(2)))
    }

    /// The data as the name of a section: UTF-16 or ASCII, with its end.
    var sectionName: String? {
        let ascii =
            event.data.last == 0
            ? String(validating: event.data.dropLast(), as: UTF8.self) : nil
        return [utf16Text, ascii].compactMap { $0 }.first { name in
            name.count > 1 && name.utf8.count <= 8 && name.hasPrefix(".")
                && name.dropFirst().utf8.allSatisfy {
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                }
        }
    }
}
