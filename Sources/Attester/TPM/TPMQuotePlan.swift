import Bytes

/// What a TPM quotes for one use, and by which of its keys.
///
/// Every use has a key of its own: what the key of one use has signed is nothing to who trusts another.
public struct TPMQuotePlan: Equatable, Sendable {
    /// Which PCR banks are quoted.
    public enum Banks: Equatable, Sendable {
        /// SHA-256, else SHA-384, else SHA-512; never SHA-1.
        case one
        /// Every active one of SHA-256 or better, as the kernel extends them all; SHA-1 too where it is
        /// asked for, since an IMA log may be aggregated by it.
        case all(withSHA1: Bool)
    }

    /// What the key's template begins with, 32 bytes at most; another label makes another key.
    public let label: String
    /// The registers, 0 to 23, ascending.
    public let registers: [Int]
    /// The banks.
    public let banks: Banks
    /// Whether a key that the TPM's maker has certified is taken where there is one.
    ///
    /// Never for a use in which the caller chooses what is signed.
    public let takesVendorKey: Bool

    /// Everything, before a launch.
    public static let launch = TPMQuotePlan(
        label: "bootgate launch v1", registers: Array(0...23), banks: .one, takesVendorKey: true)

    /// What the runtime agent quotes: PCR 0 to 10, and of those that were asked for what exists.
    ///
    /// The vendor's key may be the launch's too; its quote is over a binding whose label is `bootgate
    /// runtime v1`, and no caller chooses the bytes of that.
    public static func runtime(
        registers: [Int] = [], withSHA1: Bool = false
    ) -> TPMQuotePlan {
        TPMQuotePlan(
            label: "bootgate runtime v1", registers: registers + Array(0...10),
            banks: .all(withSHA1: withSHA1), takesVendorKey: true)
    }

    /// PCR 10 over the caller's own bytes, as `cosmian_vm` asks for it.
    public static let cosmian = TPMQuotePlan(
        label: "bootgate cosmian v1", registers: [10], banks: .one, takesVendorKey: false)

    private init(label: String, registers: [Int], banks: Banks, takesVendorKey: Bool) {
        self.label = label
        self.registers = Set(registers.filter { (0...23).contains($0) }).sorted()
        self.banks = banks
        self.takesVendorKey = takesVendorKey
    }

    /// Those of `active` that are quoted, best first where it is one, else in the order of a selection.
    func banks(of active: [HashAlgorithm]) -> [HashAlgorithm] {
        let strong = [HashAlgorithm.sha256, .sha384, .sha512].filter(active.contains)
        switch banks {
        case .one: return Array(strong.prefix(1))
        case .all(let withSHA1):
            guard !strong.isEmpty, withSHA1, active.contains(.sha1) else { return strong }
            return [.sha1] + strong
        }
    }
}
