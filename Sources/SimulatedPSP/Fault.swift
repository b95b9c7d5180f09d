import ArgumentParser

/// What the simulated processor, the host around it or the vendor behind it does wrong on order.
enum Fault: Equatable, Hashable {
    // Of both families
    case wrongRoot, badSignature, lowTCB, debug, wrongReportData
    case revokedIntermediate, revokedKey, expiredList, expiredKey, futureKey
    case record(path: String)
    case replay(path: String)

    // Of SNP
    case noCertificates, migration, maskedChip, otherChip, otherTCB
    /// PLATFORM_INFO.
    case platformInfo(UInt64)
    /// LAUNCH_MIT_VECTOR and CURRENT_MIT_VECTOR.
    case mitigations(launch: UInt64, current: UInt64)

    // Of TDX
    case unboundKey, badEnclaveSignature, wrongFMSPC, unsupportedTCB, expiredCollateral
    case expiredIdentity, handedOver
    case platformStatus(String)
    case moduleStatus(String)
    case enclaveStatus(String)

    /// The two families of processors.
    enum Family: String {
        case snp, tdx
    }

    /// One line of the catalogue.
    struct Entry {
        let name: String
        /// What stands behind `=`; nil where nothing does.
        var parameter: String?
        /// Nil for both.
        var family: Family?
        let text: String
        let make: @Sendable (String) -> Fault?
    }

    /// Every fault, in the order in which help lists them.
    static let catalogue: [Entry] = [
        plain("wrong-root", .wrongRoot, "key and chain from a root made a moment ago"),
        plain("bad-signature", .badSignature, "one bit of the signature is wrong"),
        plain("low-tcb", .lowTCB, "firmware of version 0 everywhere, endorsed as such"),
        plain("debug", .debug, "the host may debug the guest"),
        plain("wrong-report-data", .wrongReportData, "one bit of the report data is another"),
        plain(
            "revoked-intermediate", .revokedIntermediate,
            "the root's list names the ASK, ASVK or PCK CA"),
        plain(
            "revoked-key", .revokedKey, "its issuer's list names the VCEK, VLEK or PCK"),
        plain("expired-list", .expiredList, "the lists ended a day ago"),
        plain("expired-key", .expiredKey, "the VCEK, VLEK or PCK ended a day ago"),
        plain("future-key", .futureKey, "the VCEK, VLEK or PCK begins tomorrow"),
        Entry(
            name: "record", parameter: "FILE", text: "write each answer to FILE",
            make: { .record(path: $0) }),
        Entry(
            name: "replay", parameter: "FILE", text: "give the answer in FILE, whatever is asked",
            make: { .replay(path: $0) }),
        plain("no-certs", .noCertificates, "the host has no certificates for its guests", .snp),
        plain("migration", .migration, "the guest policy allows a migration agent", .snp),
        plain("masked-chip", .maskedChip, "CHIP_ID is zero and MASK_CHIP_KEY set", .snp),
        plain("other-chip", .otherChip, "CHIP_ID is not the certificate's", .snp),
        plain("other-tcb", .otherTCB, "REPORTED_TCB is not the certificate's", .snp),
        Entry(
            name: "platform-info", parameter: "BITS", family: .snp,
            text: "PLATFORM_INFO is BITS, usually 0x5",
            make: { Bits(argument: $0).map { .platformInfo($0.value) } }),
        Entry(
            name: "mitigations", parameter: "LAUNCH,CURRENT", family: .snp,
            text: "the mitigation vectors of version 5, usually 0", make: mitigations),
        plain("unbound-key", .unboundKey, "the QE report vouches for another key", .tdx),
        plain("bad-qe-signature", .badEnclaveSignature, "the PCK did not sign the QE report", .tdx),
        plain("wrong-fmspc", .wrongFMSPC, "the TCB info is about another platform", .tdx),
        plain("tcb-not-supported", .unsupportedTCB, "no TCB level is low enough", .tdx),
        plain("expired-collateral", .expiredCollateral, "TCB info and lists ended a day ago", .tdx),
        plain("expired-qe-identity", .expiredIdentity, "the QE identity ended a day ago", .tdx),
        plain("rtmr3-extended", .handedOver, "RTMR3 already says that the guest took over", .tdx),
        status("platform-status", "platform", Fault.platformStatus),
        status("module-status", "TDX module", Fault.moduleStatus),
        status("qe-status", "quoting enclave", Fault.enclaveStatus),
    ]

    /// TCB statuses as Intel writes them.
    static let statuses = [
        "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded",
        "ConfigurationAndSWHardeningNeeded", "OutOfDate", "OutOfDateConfigurationNeeded", "Revoked",
    ]

    /// The family that alone has this fault; nil for both.
    var family: Family? {
        Self.catalogue.first { $0.name == name.split(separator: "=").first.map(String.init) }?
            .family
    }

    /// As it is written on the command line.
    var name: String {
        switch self {
        case .record(let path): return "record=\(path)"
        case .replay(let path): return "replay=\(path)"
        case .platformInfo(let bits): return "platform-info=0x" + String(bits, radix: 16)
        case .mitigations(let launch, let current):
            let texts = [launch, current].map { "0x" + String($0, radix: 16) }
            return "mitigations=\(texts.joined(separator: ","))"
        case .platformStatus(let status): return "platform-status=\(status)"
        case .moduleStatus(let status): return "module-status=\(status)"
        case .enclaveStatus(let status): return "qe-status=\(status)"
        default:
            return Self.catalogue.first { $0.parameter == nil && $0.make("") == self }?.name ?? ""
        }
    }

    /// The lines of a command's help, for one family.
    static func help(for family: Family) -> String {
        let entries = catalogue.filter { $0.family ?? family == family }
        let names = entries.map { $0.name + ($0.parameter.map { "=\($0)" } ?? "") }
        let width = names.map(\.count).max() ?? 0
        return zip(names, entries).map { name, entry in
            "  \(name)\(String(repeating: " ", count: width - name.count))  \(entry.text)"
        }
        .joined(separator: "\n")
    }

    private static func plain(
        _ name: String, _ fault: Fault, _ text: String, _ family: Family? = nil
    ) -> Entry {
        Entry(name: name, family: family, text: text, make: { _ in fault })
    }

    private static func status(
        _ name: String, _ part: String, _ make: @escaping @Sendable (String) -> Fault
    ) -> Entry {
        Entry(
            name: name, parameter: "STATUS", family: .tdx,
            text: "the TCB status of the \(part), such as OutOfDate",
            make: { statuses.contains($0) ? make($0) : nil })
    }

    @Sendable private static func mitigations(_ text: String) -> Fault? {
        let values = text.split(separator: ",", omittingEmptySubsequences: false)
            .compactMap { Bits(argument: String($0))?.value }
        return values.count == 2 ? .mitigations(launch: values[0], current: values[1]) : nil
    }
}

extension Fault: ExpressibleByArgument {
    init?(argument: String) {
        let sides = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard let entry = Self.catalogue.first(where: { $0.name == sides.first }),
            (entry.parameter == nil) == (sides.count == 1),
            let fault = entry.make(sides.count == 2 ? sides[1] : "")
        else { return nil }
        self = fault
    }
}
