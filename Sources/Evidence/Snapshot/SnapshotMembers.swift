import Bytes

extension SnapshotHeader {
    /// What stands beside `filehashes` and `bootgate`.
    static let members = ["cloud_type", "tee_policy", "tpm_policy"]

    /// A name from a stranger, as it may be shown.
    static func shown(_ name: [UInt8]) -> String {
        String(decoding: name.prefix(64).map { 0x20...0x7e ~= $0 ? $0 : 0x3f }, as: UTF8.self)
    }

    /// Reads the members; `cloud_type` alone may be missing, as it is in old files.
    init(_ fields: JSONFields) throws(ParseError) {
        cloudType = try fields.optional("cloud_type") { name throws(ParseError) in
            try fields.label(name)
        }
        teePolicy = try fields.required("tee_policy").map { policy throws(ParseError) in
            try TEEPolicy(policy)
        }
        tpmPolicy = try fields.required("tpm_policy").map { policy throws(ParseError) in
            try policy.holdsOnly(["reset_count", "restart_count"])
            return TPMPolicy(
                resetCount: try policy.number("reset_count"),
                restartCount: try policy.number("restart_count"))
        }
    }
}

extension SnapshotHeader.TEEPolicy {
    init(_ fields: JSONFields) throws(ParseError) {
        switch fields.names {
        case ["Sev"]: self = .snp(try SnapshotHeader.SNPPolicy(fields.object("Sev")))
        case ["Tdx"]: self = .tdx(try SnapshotHeader.TDXPolicy(fields.object("Tdx")))
        case ["Sgx"]:
            throw .invalid(
                field: "\(fields.path).Sgx", rule: "is of an SGX enclave, must be of a VM")
        default:
            throw .invalid(field: fields.path, rule: "must have one member, Sev or Tdx")
        }
    }
}

extension SnapshotHeader.SNPPolicy {
    init(_ fields: JSONFields) throws(ParseError) {
        try fields.holdsOnly([
            "measurement", "report_data", "family_id", "image_id", "guest_svn", "id_key_digest",
            "author_key_digest", "policy", "report_id", "report_id_ma",
        ])
        measurement = try fields.digits("measurement")
        reportData = try fields.digits("report_data")
        familyID = try fields.digits("family_id")
        imageID = try fields.digits("image_id")
        guestSVN = try fields.number("guest_svn")
        idKeyDigest = try fields.digits("id_key_digest")
        authorKeyDigest = try fields.digits("author_key_digest")
        policy = try fields.number("policy")
        reportID = try fields.digits("report_id")
        reportIDMA = try fields.digits("report_id_ma")
    }
}

extension SnapshotHeader.TDXPolicy {
    init(_ fields: JSONFields) throws(ParseError) {
        try fields.holdsOnly(["header", "body"])
        let header = try fields.object("header")
        try header.holdsOnly(["minimum_qe_svn", "minimum_pce_svn", "qe_vendor_id"])
        minimumQESVN = try header.number("minimum_qe_svn")
        minimumPCESVN = try header.number("minimum_pce_svn")
        qeVendorID = try header.digits("qe_vendor_id")
        let body = try fields.object("body")
        try body.holdsOnly([
            "minimum_tee_tcb_svn", "mr_seam", "td_attributes", "xfam", "mr_td", "mr_config_id",
            "mr_owner", "mr_owner_config", "report_data",
        ])
        minimumTEETCBSVN = try body.digits("minimum_tee_tcb_svn")
        mrSeam = try body.digits("mr_seam")
        tdAttributes = try body.digits("td_attributes")
        xfam = try body.number("xfam")
        mrTD = try body.digits("mr_td")
        mrConfigID = try body.digits("mr_config_id")
        mrOwner = try body.digits("mr_owner")
        mrOwnerConfig = try body.digits("mr_owner_config")
        reportData = try body.digits("report_data")
    }
}

extension SnapshotDetails {
    init(_ fields: JSONFields) throws(ParseError) {
        try fields.holdsOnly([
            "format", "vm", "host_name", "boot_id", "time", "hash", "pcrs",
            "attestation_key_name", "ima", "excluded", "skipped",
        ])
        try fields.string("format", mustBe: Self.format)
        guard let hash = HashAlgorithm(rawValue: try fields.string("hash")) else {
            throw .invalid(
                field: "\(fields.path).hash", rule: "must be sha1, sha256, sha384 or sha512")
        }
        self.init(
            vm: fields.isNull("vm") ? nil : try fields.label("vm"),
            hostName: try fields.label("host_name"), bootID: try fields.label("boot_id"),
            time: Int64(try fields.integer("time", within: 0...Int.max)), hash: hash,
            pcrs: try Self.registers(fields.object("pcrs")),
            attestationKeyName: try fields.bytes("attestation_key_name", within: 0...66),
            ima: try fields.required("ima").map { ima throws(ParseError) in
                try ima.holdsOnly(["entries", "bytes"])
                return IMAExtent(
                    entries: try ima.integer("entries", within: 0...Int.max),
                    bytes: Int64(try ima.integer("bytes", within: 0...Int.max)))
            },
            excluded: try fields.strings("excluded", within: 0...1024),
            skipped: try fields.integer("skipped", within: 0...Int.max))
    }

    private static func registers(_ banks: JSONFields) throws(ParseError) -> PCRValues {
        var values = PCRValues()
        for bank in banks.names {
            let path = "\(banks.path).\(SnapshotHeader.shown(Array(bank.utf8)))"
            guard let algorithm = HashAlgorithm(rawValue: bank) else {
                throw .invalid(field: path, rule: "must be sha1, sha256, sha384 or sha512")
            }
            let registers = try banks.object(bank)
            for name in registers.names {
                guard let index = UInt8(name), "\(index)" == name else {
                    throw .invalid(field: path, rule: "must have numbers of registers as names")
                }
                try values.insert(registers.bytes(name), at: index, in: algorithm)
            }
        }
        return values
    }
}

extension SnapshotPackage {
    /// Reads one element of `packages`.
    init(_ value: JSONValue) throws(SnapshotText.Interruption) {
        let names = ["name", "version", "architecture", "manager", "files"]
        guard let members = value.members, members.count == names.count,
            members.allSatisfy({ names.contains($0.name) }), let files = value["files"]?.array,
            let name = Self.label(value["name"]), let version = Self.label(value["version"]),
            let architecture = Self.label(value["architecture"]),
            let manager = value["manager"]?.string.flatMap(Manager.init(rawValue:))
        else {
            throw .wrong(
                """
                must be an object with the texts name, version, architecture, the manager dpkg or rpm, and \
                an array of files
                """)
        }
        self.init(name: name, version: version, architecture: architecture, manager: manager)
        for file in files {
            guard let path = file.string,
                (1...SnapshotPath.maximumByteCount).contains(path.utf8.count)
            else {
                throw .wrong(
                    "must have files that are texts of 1 to \(SnapshotPath.maximumByteCount) bytes")
            }
            add(path: path.utf8)
        }
    }

    /// 1 to 256 printable ASCII characters.
    private static func label(_ value: JSONValue?) -> String? {
        guard let text = value?.string, (1...256).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
        else { return nil }
        return text
    }
}

extension JSONFields {
    /// Reads members that were collected, a comma behind each.
    init(_ members: [UInt8], membersOf path: String) throws(ParseError) {
        try self.init(
            parsing: [UInt8(ascii: "{")] + members.dropLast() + [UInt8(ascii: "}")], name: path,
            limits: JSONReader.Limits(
                byteCount: SnapshotReader.maximumMembers + 2, depth: 8, values: 4096))
    }

    /// Nil where the member is missing or null.
    fileprivate func optional<Value>(
        _ name: String, _ read: (String) throws(ParseError) -> Value
    ) throws(ParseError) -> Value? {
        has(name) && !isNull(name) ? try read(name) : nil
    }

    /// An object that has to be there and may be null.
    fileprivate func required(_ name: String) throws(ParseError) -> JSONFields? {
        isNull(name) ? nil : try object(name)
    }

    fileprivate func digits<let count: Int>(
        _ name: String
    ) throws(ParseError) -> FixedBytes<count>? {
        try optional(name) { name throws(ParseError) in try fixed(name) }
    }

    fileprivate func number<Number: FixedWidthInteger>(
        _ name: String
    ) throws(ParseError) -> Number? {
        try optional(name) { name throws(ParseError) in try unsigned(name) }
    }
}
