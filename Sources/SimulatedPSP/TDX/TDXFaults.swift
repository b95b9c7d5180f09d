import Bytes
import Linux
import OpenSSL

/// What the faults of a launch make of a machine and of what its vendor says.
struct TDXFaults {
    private static let day: Int64 = 86400
    private let faults: Set<Fault>

    init(_ faults: Set<Fault>) { self.faults = faults }

    /// The machine that answers: another one where its endorsement is to be wrong.
    func machine(_ machine: TDXMachine, now: Int64) throws(PSPFault) -> TDXMachine {
        guard
            !faults.isDisjoint(with: [.wrongRoot, .lowTCB, .expiredKey, .futureKey])
        else { return machine }
        var platform = machine.platform
        if faults.contains(.lowTCB) {
            let version = platform.teeTCBSVN[1]
            platform.teeTCBSVN = FixedBytes()
            platform.teeTCBSVN[1] = version
            platform.components = [UInt8](repeating: 0, count: 16)
            platform.pceSVN = 5
        }
        return try PSPFault.defects { () throws(CryptoError) in
            let authority =
                faults.contains(.wrongRoot) ? try TDXAuthority(now: now) : machine.authority
            var template = TDXAuthority.pckTemplate(platform, now: now)
            if faults.contains(.expiredKey) {
                template.notBefore = now - 30 * Self.day
                template.notAfter = now - Self.day
            }
            if faults.contains(.futureKey) { template.notBefore = now + Self.day }
            return TDXMachine(
                platform: platform, authority: authority, keys: machine.keys,
                pck: try CertificateIssuer.issue(
                    template, subjectKey: machine.keys.pck, issuerKey: authority.platformCAKey),
                made: now)
        }
    }

    /// What the vendor says of `machine` at `now`.
    func collateral(of machine: TDXMachine, now: Int64) throws(PSPFault) -> PCSCollateral {
        var order = PCSCollateral.Order(issued: now - Self.day)
        for fault in faults { apply(fault, to: &order, machine) }
        return try PSPFault.defects { () throws(CryptoError) in try machine.collateral(order) }
    }

    private func apply(
        _ fault: Fault, to order: inout PCSCollateral.Order, _ machine: TDXMachine
    ) {
        // All of it was issued a day before it is asked for, so that 0 days have just ended.
        switch fault {
        case .expiredCollateral: order.days = 0
        case .expiredIdentity: order.identityDays = 0
        case .expiredList: order.listDays = 0
        case .revokedKey: order.revokesPCK = true
        case .revokedIntermediate: order.revokesPlatformCA = true
        case .unsupportedTCB: order.platformStatus = nil
        case .wrongFMSPC:
            var other = machine.platform.fmspc
            other[0] ^= 1
            order.fmspc = other
        case .platformStatus(let status): order.platformStatus = status
        case .moduleStatus(let status): order.moduleStatus = status
        case .enclaveStatus(let status): order.quotingEnclaveStatus = status
        default: break
        }
    }
}

extension PCSCollateral {
    /// Writes all of it as one JSON object.
    func write(to path: String) throws(PSPFault) {
        try PSPFault.writing { () throws(SystemError) in
            try File.writeAtomically(path, Array((json + "\n").utf8), mode: 0o644)
        }
    }

    /// Writes the bodies of the service's answers as a broker's folder of endorsements has them.
    func write(folder: String, fmspc: FixedBytes<6>) throws(PSPFault) {
        let files: [(String, [UInt8])] = [
            ("intel/tdx/\(fmspc.hex)/tcb_info.json", Array(tcbInfoResponse.utf8)),
            ("intel/tdx/qe_identity.json", Array(quotingEnclaveIdentityResponse.utf8)),
            ("intel/tdx/\(fmspc.hex)/tcb_info.json.issuers", signerChain),
            ("intel/tdx/qe_identity.json.issuers", signerChain),
            ("intel/pck_crl_platform.der", pckCRL),
            ("intel/pck_crl_platform.der.issuers", pckCRLChain),
            ("intel/root_ca_crl.der", rootCRL),
        ]
        try PSPFault.writing { () throws(SystemError) in
            try File.makeDirectories("\(folder)/intel/tdx/\(fmspc.hex)", mode: 0o755)
            for (name, bytes) in files {
                try File.writeAtomically("\(folder)/\(name)", bytes, mode: 0o644)
            }
        }
    }
}
