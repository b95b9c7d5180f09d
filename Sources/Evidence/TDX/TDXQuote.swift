public import Bytes

/// A TDX quote as it was read: nothing in it has been authenticated.
///
/// Layout: Intel TDX DCAP Quoting Library API, appendix A.3 (version 4) and A.4 (version 5). All
/// integers are little-endian. `init(parsing:)` is in `TDXQuoteParser.swift`.
public struct TDXQuote: Sendable, Equatable {
    /// The longest quote that is read, in bytes, with the zeros behind it.
    public static let maximumByteCount = 64 << 10

    /// What may stand behind a quote.
    public enum Trailer: Sendable, Hashable {
        /// Zero bytes only: kernels and services pad.
        case zeroBytes
        /// Anything, and it is not looked at: for files that hold more than the quote.
        case anything
    }

    /// The first 48 bytes.
    public struct Header: Sendable, Equatable {
        /// VERSION: 4 or 5.
        public let version: UInt16
        /// Bytes 0x08 and 0x09, which some documents call QE SVN; reserved in version 5.
        public let qeSVN: UInt16
        /// Bytes 0x0A and 0x0B, which some documents call PCE SVN; reserved in version 5.
        public let pceSVN: UInt16
        /// USER_DATA: an identifier of the quoting enclave on its platform.
        public let userData: FixedBytes<20>
    }

    /// Header and body as received: what the signature is over.
    public let signedBytes: [UInt8]
    /// The first fields.
    public let header: Header
    /// What the trust domain is.
    public let body: TDReportBody
    /// ECDSA on P-256 with SHA-256: r || s, big-endian.
    public let signature: FixedBytes<64>
    /// The key that made it: x || y, big-endian.
    public let attestationKey: FixedBytes<64>
    /// The quoting enclave's report, over that key.
    public let qeReport: SGXReport
    /// By the PCK: r || s, big-endian.
    public let qeReportSignature: FixedBytes<64>
    /// QE authentication data, hashed together with the key.
    public let qeAuthenticationData: [UInt8]
    /// Certification data of type 5: the chain of the PCK certificate, PEM or DER.
    public let pckChain: [UInt8]
}

extension TDXQuote {
    /// What a quote or report is of, as far as its first bytes tell.
    public enum TEE: Sendable, Hashable {
        /// An SGX enclave.
        case sgx
        /// A trust domain.
        case tdx
    }

    /// Whose quote `bytes` claim to be; nil where the first bytes are those of no quote of Intel's.
    public static func claimedTEE(_ bytes: [UInt8]) -> TEE? {
        guard bytes.count >= 48, bytes[1] == 0, (3...5).contains(bytes[0]) else { return nil }
        // Version 3 has the attestation key's type where later versions have it, and is for SGX only.
        if bytes[0] == 3 { return .sgx }
        switch Array(bytes[4..<8]) {
        case [0, 0, 0, 0]: return .sgx
        case [0x81, 0, 0, 0]: return .tdx
        default: return nil
        }
    }
}
