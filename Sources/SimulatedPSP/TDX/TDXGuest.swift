import Bytes
import OpenSSL

/// One launched trust domain: requests in, quotes and TDREPORTs out.
struct TDXGuest {
    /// What was launched, with the registers as they are now.
    private(set) var domain: TrustDomain
    let machine: TDXMachine
    let version: UInt16
    let generation: TDXGeneration
    let faults: Set<Fault>
    /// The key of the MAC of TDREPORTs, which never leaves the machine.
    private let localKey: SecretKey
    private let hashing = OpenSSLHashing()

    /// Secret bytes that may be held by a copyable value.
    final class SecretKey: Sendable {
        let bytes: SecretBytes
        init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
    }

    /// Launches on `machine`; `localKey` has 32 bytes.
    init(
        _ domain: TrustDomain, on machine: TDXMachine, version: UInt16,
        generation: TDXGeneration, faults: Set<Fault>, localKey: consuming SecretBytes
    ) {
        self.domain = domain
        self.machine = machine
        self.version = version
        self.generation = generation
        self.faults = faults
        self.localKey = SecretKey(localKey)
        if faults.contains(.debug) { self.domain.attributes |= 1 }
        if faults.contains(.handedOver) {
            self.domain.extend(
                3, with: hashing.sha384(TrustDomain.handOver).bytes, hashing: hashing)
        }
    }

    /// A quote over 64 bytes.
    func quote(_ reportData: [UInt8], isFaulty: Bool = true) throws(CryptoError) -> [UInt8] {
        var data = reportData
        if isFaulty, faults.contains(.wrongReportData) { data[0] ^= 1 }
        let body = domain.body(
            generation, on: machine.platform, reportData: data, hashing: hashing)
        return try machine.quote(
            version: version, generation, body: body,
            faults: QuotingEnclave.Faults(
                breaksSignature: isFaulty && faults.contains(.badSignature),
                breaksReportSignature: isFaulty && faults.contains(.badEnclaveSignature),
                bindsAnotherKey: isFaulty && faults.contains(.unboundKey)))
    }

    /// A TDREPORT over 64 bytes.
    func localReport(_ reportData: [UInt8]) -> [UInt8] {
        domain.report(
            generation, on: machine.platform, reportData: reportData, hashing: hashing,
            mac: { HMAC.sha256(key: localKey.bytes, $0) })
    }

    /// Extends RTMR2 or RTMR3, which are the guest's own; false for any other.
    mutating func extend(_ register: UInt32, with digest: [UInt8]) -> Bool {
        guard (2...3).contains(register) else { return false }
        domain.extend(Int(register), with: digest, hashing: hashing)
        return true
    }
}

extension TDXGuest: MailboxGuest {
    var provider: MailboxLayout.Provider { .tdxGuest }
    var operations: [MailboxLayout.Operation] { [.report, .localReport, .extend] }

    var identity: [(String, JSONText.Value)] {
        [("rtmr2", .string(domain.rtmr[2].hex)), ("rtmr3", .string(domain.rtmr[3].hex))]
    }

    mutating func answer(
        _ operation: MailboxLayout.Operation, _ request: Mailbox.Request, isFaulty: Bool
    ) throws(PSPFault) -> Answer? {
        switch operation {
        case .report:
            return Answer(
                report: try PSPFault.defects { () throws(CryptoError) in
                    try quote(request.input, isFaulty: isFaulty)
                })
        case .localReport: return Answer(report: localReport(request.input))
        case .extend:
            return extend(request.argument, with: request.input) ? Answer(report: []) : nil
        case .serviceReport: return nil
        }
    }
}
