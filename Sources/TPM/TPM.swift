public import Bytes
import CTSS2

/// A connection to a TPM 2.0. Commands block; all authorisation values are empty.
///
/// Source of all commands and structures: TCG, Trusted Platform Module Library, parts 2 and 3,
/// revision 1.59. Not for several threads at once.
public struct TPM: ~Copyable {
    /// How to reach a TPM.
    public enum Device: Equatable, Sendable {
        /// The kernel's resource manager, or a TPM without one.
        case file(String)
        /// A software TPM of a test: its command port; its control port is the next one.
        case simulator(port: UInt16)

        /// The first TPM behind the kernel's resource manager.
        public static let resourceManager = Device.file("/dev/tpmrm0")
    }

    /// The longest NV index that is read, in bytes.
    public static let maximumNVSize = 8192

    let connection: Connection

    /// Connects.
    ///
    /// - Throws: `TPMError.library` where tpm2-tss is not installed.
    public init(_ device: Device = .resourceManager) throws(TPMError) {
        switch device {
        case .file(let path):
            connection = try Connection(transport: "device", configuration: path)
        case .simulator(let port):
            connection = try Connection(
                transport: "swtpm", configuration: "host=127.0.0.1,port=\(port)")
        }
    }

    /// The PCR banks that hold all of PCR 0 to 23, of those hashes that we know, best first.
    public borrowing func banks() throws(TPMError) -> [HashAlgorithm] {
        var identifiers = [UInt16](repeating: 0, count: 16)
        var count = identifiers.count
        try connection.check(
            unsafe bootgate_tpm_banks(connection.context, &identifiers, &count))
        let known = identifiers.prefix(count).compactMap(HashAlgorithm.init(tpmIdentifier:))
        return known.sorted { $0.size > $1.size }
    }

    /// Whether keys on NIST P-256 can be made.
    public borrowing func supportsP256() throws(TPMError) -> Bool {
        var found: Int32 = 0
        try connection.check(unsafe bootgate_tpm_has_curve(connection.context, 0x0003, &found))
        return found != 0
    }

    /// What the registers of `indices` (0 to 23) hold at one moment, ascending by index.
    public borrowing func registers(
        _ indices: [Int], bank: HashAlgorithm
    ) throws(TPMError) -> [(index: Int, digest: [UInt8])] {
        let wanted = Set(indices.filter { (0...23).contains($0) }).sorted()
        let size = bank.size
        let all = try unsafe connection.bytes(capacity: wanted.count * size) { start, count in
            unsafe bootgate_tpm_pcr_read(
                connection.context, bank.tpmIdentifier, Self.mask(wanted), size, start, &count)
        }
        guard all.count == wanted.count * size else {
            throw .badAnswer(command: "TPM2_PCR_Read", problem: "some registers are missing")
        }
        return wanted.enumerated().map { place, index in
            (index, Array(all[place * size..<(place + 1) * size]))
        }
    }

    /// Extends register `index` of each bank by that bank's digest.
    public borrowing func extend(
        _ index: Int, _ digests: [(bank: HashAlgorithm, digest: [UInt8])]
    ) throws(TPMError) {
        let banks = digests.map(\.bank.tpmIdentifier)
        let bytes = digests.flatMap(\.digest)
        try connection.check(
            unsafe bootgate_tpm_pcr_extend(
                connection.context, UInt32(index), banks, banks.count, bytes, bytes.count))
    }

    /// Everything in NV index `index`.
    public borrowing func readNV(_ index: UInt32) throws(TPMError) -> [UInt8] {
        try unsafe connection.bytes(capacity: Self.maximumNVSize) { start, count in
            unsafe bootgate_tpm_nv_read(connection.context, index, start, &count)
        }
    }

    /// Fills NV index `index` by the owner's authorisation; defines it where there is none.
    public borrowing func writeNV(_ index: UInt32, _ bytes: [UInt8]) throws(TPMError) {
        try connection.check(
            unsafe bootgate_tpm_nv_write(connection.context, index, bytes, bytes.count))
    }

    static func mask(_ indices: [Int]) -> UInt32 {
        indices.reduce(0) { $0 | 1 << UInt32($1) }
    }
}
