/// What a TPM enforces of an object: TPMA_OBJECT.
///
/// TCG TPM 2.0 Library, Part 2, section TPMA_OBJECT.
public struct TPMKeyAttributes: OptionSet, Sendable, Hashable {
    /// The bits as they stand in the public area.
    public let rawValue: UInt32

    /// Takes the bits as they are.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The object never leaves its TPM.
    public static let fixedTPM = TPMKeyAttributes(rawValue: 1 << 1)
    /// Loaded contexts do not outlive a restart.
    public static let stClear = TPMKeyAttributes(rawValue: 1 << 2)
    /// The object's parent cannot be changed.
    public static let fixedParent = TPMKeyAttributes(rawValue: 1 << 4)
    /// The TPM made the private part itself.
    public static let sensitiveDataOrigin = TPMKeyAttributes(rawValue: 1 << 5)
    /// The object's authorisation value suffices for its use.
    public static let userWithAuth = TPMKeyAttributes(rawValue: 1 << 6)
    /// Administration needs the policy.
    public static let adminWithPolicy = TPMKeyAttributes(rawValue: 1 << 7)
    /// Usable by the same firmware only (version 1.83).
    public static let firmwareLimited = TPMKeyAttributes(rawValue: 1 << 8)
    /// Usable by firmware of the same security version only (version 1.83).
    public static let svnLimited = TPMKeyAttributes(rawValue: 1 << 9)
    /// Exempt from the dictionary attack counter.
    public static let noDA = TPMKeyAttributes(rawValue: 1 << 10)
    /// Duplication only under an inner wrapper.
    public static let encryptedDuplication = TPMKeyAttributes(rawValue: 1 << 11)
    /// Signs and decrypts only what the TPM itself has made or checked the form of.
    public static let restricted = TPMKeyAttributes(rawValue: 1 << 16)
    /// May decrypt.
    public static let decrypt = TPMKeyAttributes(rawValue: 1 << 17)
    /// May sign.
    public static let sign = TPMKeyAttributes(rawValue: 1 << 18)
    /// May sign certificates only (x509sign).
    public static let x509Sign = TPMKeyAttributes(rawValue: 1 << 19)

    /// The bits that the specification gives a meaning.
    static let known = TPMKeyAttributes(rawValue: 0x000f_0ff6)

    private static let names: [(TPMKeyAttributes, String)] = [
        (.fixedTPM, "fixedTPM"), (.stClear, "stClear"), (.fixedParent, "fixedParent"),
        (.sensitiveDataOrigin, "sensitiveDataOrigin"), (.userWithAuth, "userWithAuth"),
        (.adminWithPolicy, "adminWithPolicy"), (.firmwareLimited, "firmwareLimited"),
        (.svnLimited, "svnLimited"), (.noDA, "noDA"),
        (.encryptedDuplication, "encryptedDuplication"), (.restricted, "restricted"),
        (.decrypt, "decrypt"), (.sign, "sign"), (.x509Sign, "x509sign"),
    ]
}

extension TPMKeyAttributes: CustomStringConvertible {
    /// The names of the specification, joined by commas.
    public var description: String {
        Self.names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}
