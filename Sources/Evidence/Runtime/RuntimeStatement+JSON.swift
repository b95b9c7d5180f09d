public import Bytes

extension RuntimeStatement {
    /// The bytes that evidence is made over.
    public func encoded() -> [UInt8] {
        let keys = sshHostKeys.map {
            "{\"kind\":\(JSONString.quoted($0.kind)),\"digest\":\"\($0.digest.hex)\"}"
        }
        let members = [
            ("format", JSONString.quoted(Self.format)),
            ("vm", vm.map(JSONString.quoted) ?? "null"),
            ("host_name", JSONString.quoted(hostName)),
            ("certificate", "\"\(certificate.hex)\""),
            ("attestation_key_name", "\"\(Hex.encode(attestationKeyName))\""),
            ("ssh_host_keys", "[\(keys.joined(separator: ","))]"),
            ("boot_id", JSONString.quoted(bootID)),
            ("snapshot", snapshot.map { "\"\($0.hex)\"" } ?? "null"),
        ]
        return Array("{\(members.map { "\"\($0)\":\($1)" }.joined(separator: ","))}".utf8)
    }

    /// Reads a statement: all members, and no others.
    ///
    /// - Throws: an error that names the member.
    public init(parsing bytes: [UInt8]) throws(ParseError) {
        let fields = try JSONFields(
            parsing: bytes, name: "statement",
            limits: JSONReader.Limits(byteCount: Self.maximumByteCount, depth: 4, values: 128))
        try fields.holdsOnly(Self.members)
        _ = try fields.string("format", mustBe: Self.format)
        let keys = try fields.objects("ssh_host_keys", within: 0...16)
        var sshHostKeys: [SSHHostKey] = []
        for key in keys {
            try key.holdsOnly(["kind", "digest"])
            sshHostKeys.append(
                SSHHostKey(kind: try key.label("kind"), digest: try key.fixed("digest")))
        }
        self.init(
            vm: fields.isNull("vm") ? nil : try fields.label("vm"),
            hostName: try fields.label("host_name"),
            certificate: try fields.fixed("certificate"),
            attestationKeyName: try fields.bytes("attestation_key_name", within: 0...66),
            sshHostKeys: sshHostKeys, bootID: try fields.label("boot_id"),
            snapshot: fields.isNull("snapshot") ? nil : try fields.fixed("snapshot"))
    }

    private static let members = [
        "format", "vm", "host_name", "certificate", "attestation_key_name", "ssh_host_keys",
        "boot_id", "snapshot",
    ]
}
