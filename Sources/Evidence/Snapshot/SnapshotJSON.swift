import Bytes

/// The members of an object in JSON; what is nil is `null`.
private func object(_ members: [(String, String?)]) -> String {
    "{\(members.map { "\"\($0)\":\($1 ?? "null")" }.joined(separator: ","))}"
}

private func number(_ value: (some FixedWidthInteger)?) -> String? { value.map { "\($0)" } }

private func digits<let count: Int>(_ value: FixedBytes<count>?) -> String? {
    value.map { "\"\($0.hex)\"" }
}

extension SnapshotHeader.TEEPolicy {
    var json: String {
        switch self {
        case .snp(let policy): object([("Sev", policy.json)])
        case .tdx(let policy): object([("Tdx", policy.json)])
        }
    }
}

extension SnapshotHeader.SNPPolicy {
    fileprivate var json: String {
        object([
            ("measurement", digits(measurement)), ("report_data", digits(reportData)),
            ("family_id", digits(familyID)), ("image_id", digits(imageID)),
            ("guest_svn", number(guestSVN)), ("id_key_digest", digits(idKeyDigest)),
            ("author_key_digest", digits(authorKeyDigest)), ("policy", number(policy)),
            ("report_id", digits(reportID)), ("report_id_ma", digits(reportIDMA)),
        ])
    }
}

extension SnapshotHeader.TDXPolicy {
    fileprivate var json: String {
        let header = object([
            ("minimum_qe_svn", number(minimumQESVN)), ("minimum_pce_svn", number(minimumPCESVN)),
            ("qe_vendor_id", digits(qeVendorID)),
        ])
        let body = object([
            ("minimum_tee_tcb_svn", digits(minimumTEETCBSVN)), ("mr_seam", digits(mrSeam)),
            ("td_attributes", digits(tdAttributes)), ("xfam", number(xfam)),
            ("mr_td", digits(mrTD)), ("mr_config_id", digits(mrConfigID)),
            ("mr_owner", digits(mrOwner)), ("mr_owner_config", digits(mrOwnerConfig)),
            ("report_data", digits(reportData)),
        ])
        return object([("header", header), ("body", body)])
    }
}

extension SnapshotHeader.TPMPolicy {
    var json: String {
        object([("reset_count", number(resetCount)), ("restart_count", number(restartCount))])
    }
}

extension SnapshotDetails {
    /// The members but for `packages`, without braces.
    var json: String {
        let extent = ima.map { object([("entries", "\($0.entries)"), ("bytes", "\($0.bytes)")]) }
        let members: [(String, String?)] = [
            ("format", JSONString.quoted(Self.format)), ("vm", vm.map(JSONString.quoted)),
            ("host_name", JSONString.quoted(hostName)), ("boot_id", JSONString.quoted(bootID)),
            ("time", "\(time)"), ("hash", "\"\(hash.rawValue)\""), ("pcrs", registers),
            ("attestation_key_name", "\"\(Hex.encode(attestationKeyName))\""), ("ima", extent),
            ("excluded", "[\(excluded.map(JSONString.quoted).joined(separator: ","))]"),
            ("skipped", "\(skipped)"),
        ]
        return String(object(members).dropFirst().dropLast())
    }

    private var registers: String {
        let banks = pcrs.banks.sorted { $0.key.size < $1.key.size }
        return object(
            banks.map { bank, values in
                let registers = values.sorted { $0.key < $1.key }
                return (
                    bank.rawValue,
                    object(registers.map { ("\($0.key)", "\"\(Hex.encode($0.value))\"") })
                )
            })
    }
}
