/// Which fields an entry of an IMA log has.
///
/// Source: Linux, Documentation/security/IMA-templates.rst, and security/integrity/ima/ima_template.c.
public struct IMATemplate: Sendable, Equatable {
    /// One field of a template, by its name in the kernel.
    public enum Field: String, Sendable, CaseIterable {
        /// A digest of 20 bytes without its function's name.
        case digest20 = "d"
        /// A name of at most 255 characters.
        case name255 = "n"
        /// A digest with its function's name.
        case digest = "d-ng"
        /// A digest with its kind (`ima` or `verity`) and its function's name.
        case typedDigest = "d-ngv2"
        /// A name.
        case name = "n-ng"
        /// What is in security.ima.
        case signature = "sig"
        /// What was measured itself: a key, a command line.
        case buffer = "buf"
        /// The digest without the appended signature.
        case strippedDigest = "d-modsig"
        /// The appended signature.
        case appendedSignature = "modsig"
        /// What is in security.evm.
        case evmSignature = "evmsig"
        /// The owner.
        case owner = "iuid"
        /// The group.
        case group = "igid"
        /// Kind and permissions of the file.
        case mode = "imode"
        /// Names of extended attributes.
        case attributeNames = "xattrnames"
        /// Their sizes.
        case attributeSizes = "xattrlengths"
        /// Their values.
        case attributeValues = "xattrvalues"
    }

    /// The name that the log gives.
    public let name: String
    /// The fields in order.
    public let fields: [Field]

    /// Whether digest and name are the first two fields and no other field is either, as in every template that
    /// the kernel has a name for but the oldest.
    ///
    /// An entry is hashed without its template's name. So in a log of a liar's the name can be another than the
    /// kernel's, and only with this order the bytes themselves say which of them are the digest.
    public let isUnambiguous: Bool

    /// Whether it is the oldest one, whose entries have no lengths and are hashed in a form of their own.
    public var isLegacy: Bool { name == "ima" }

    /// The template of that name, or of that list of fields joined by `|`; nil for an unknown one.
    public init?(named name: String) {
        if let known = Self.known[name] {
            self.init(name: name, fields: known)
            return
        }
        let fields = name.split(separator: "|", omittingEmptySubsequences: false)
            .map { Field(rawValue: String($0)) }
        guard fields.count <= 15, !fields.contains(nil) else { return nil }
        self.init(name: name, fields: fields.compactMap { $0 })
    }

    private init(name: String, fields: [Field]) {
        self.name = name
        self.fields = fields
        let identity: Set<Field> = [.digest20, .digest, .typedDigest, .name, .name255]
        isUnambiguous =
            fields.count >= 2 && (fields[0] == .digest || fields[0] == .typedDigest)
            && fields[1] == .name && !fields.dropFirst(2).contains(where: identity.contains)
    }

    private static let known: [String: [Field]] = [
        "ima": [.digest20, .name255],
        "ima-ng": [.digest, .name],
        "ima-ngv2": [.typedDigest, .name],
        "ima-sig": [.digest, .name, .signature],
        "ima-sigv2": [.typedDigest, .name, .signature],
        "ima-buf": [.digest, .name, .buffer],
        "ima-modsig": [.digest, .name, .signature, .strippedDigest, .appendedSignature],
        "evm-sig": [
            .digest, .name, .evmSignature, .attributeNames, .attributeSizes, .attributeValues,
            .owner, .group, .mode,
        ],
    ]
}
