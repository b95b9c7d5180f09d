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

extension JSONFields {
    fileprivate func holdsOnly(_ known: [String]) throws(ParseError) {
        guard let unknown = names.first(where: { !known.contains($0) }) else { return }
        throw .invalid(field: "statement", rule: "has no member \(unknown.prefix(64))")
    }

    /// Printable ASCII, so that it may be shown anywhere.
    fileprivate func label(_ name: String) throws(ParseError) -> String {
        let text = try string(name)
        guard (1...256).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
        else {
            throw .invalid(
                field: "statement.\(name)", rule: "must be 1 to 256 printable ASCII characters")
        }
        return text
    }

    fileprivate func bytes(
        _ name: String, within bounds: ClosedRange<Int>
    ) throws(ParseError) -> [UInt8] {
        let bytes = try bytes(name)
        guard bounds.contains(bytes.count) else {
            throw .lengthOutOfBounds(
                field: "statement.\(name)", length: bytes.count, minimum: bounds.lowerBound,
                maximum: bounds.upperBound)
        }
        return bytes
    }
}
