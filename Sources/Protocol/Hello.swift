public import Bytes

/// The attester's first message: who it says it is, and the ephemeral key to seal to.
public struct Hello: Message, Equatable {
    /// HELLO.
    public static let type = MessageType.hello

    /// What the connection is for.
    public let purpose: Purpose
    /// The enrolled VM.
    public let vm: VMIdentifier
    /// The key asked for.
    public let keyName: KeyName
    /// SHA-256 of the whole `gate.conf`.
    public let configDigest: FixedBytes<32>
    /// Launch: the header digest of the root disk's LUKS2 header. Runtime: SHA-256 of the statement.
    public let headerDigest: FixedBytes<32>
    /// The kinds of evidence that the attester can give; at least one.
    public let evidenceKinds: Set<EvidenceKind>
    /// X25519 public key made for this connection alone; zero for a report, which nothing is sealed to.
    public let hpkePublicKey: FixedBytes<32>

    /// All fields, in the order of the wire.
    public init(
        purpose: Purpose, vm: VMIdentifier, keyName: KeyName, configDigest: FixedBytes<32>,
        headerDigest: FixedBytes<32>, evidenceKinds: Set<EvidenceKind>,
        hpkePublicKey: FixedBytes<32>
    ) {
        self.purpose = purpose
        self.vm = vm
        self.keyName = keyName
        self.configDigest = configDigest
        self.headerDigest = headerDigest
        self.evidenceKinds = evidenceKinds
        self.hpkePublicKey = hpkePublicKey
    }

    /// The first message of a runtime report over a statement whose SHA-256 is `statementDigest`.
    public static func report(
        vm: VMIdentifier, keyName: KeyName, configDigest: FixedBytes<32>,
        statementDigest: FixedBytes<32>, evidenceKinds: Set<EvidenceKind>
    ) -> Hello {
        Hello(
            purpose: .runtime, vm: vm, keyName: keyName, configDigest: configDigest,
            headerDigest: statementDigest, evidenceKinds: evidenceKinds,
            hpkePublicKey: FixedBytes())
    }

    /// Parses exactly one body.
    public init(parsing body: [UInt8]) throws(ParseError) {
        self = try body.parse("HELLO") { reader throws(ParseError) in
            let hello = Hello(
                purpose: try reader.known("purpose"),
                vm: try reader.name(
                    "vm_id", within: 1...64, rule: "expected [a-z0-9][a-z0-9.-]{0,63}",
                    VMIdentifier.init),
                keyName: try reader.name(
                    "key_name", within: 1...32, rule: "expected [a-z0-9][a-z0-9._-]{0,31}",
                    KeyName.init),
                configDigest: try reader.fixed("config_digest"),
                headerDigest: try reader.fixed("header_digest"),
                evidenceKinds: try reader.evidenceKinds(),
                hpkePublicKey: try reader.fixed("hpke_public_key"))
            guard hello.purpose == .launch || hello.hpkePublicKey.isZero else {
                throw .invalid(field: "hpke_public_key", rule: "expected zero for a runtime report")
            }
            return hello
        }
    }

    /// The body.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.uint8(purpose.rawValue)
        writer.name(vm)
        writer.name(keyName)
        writer.fixed(configDigest)
        writer.fixed(headerDigest)
        writer.evidenceKinds(evidenceKinds)
        writer.fixed(hpkePublicKey)
        return writer.bytes
    }
}
