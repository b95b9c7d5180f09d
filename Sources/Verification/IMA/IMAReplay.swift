internal import Bytes
internal import Evidence
internal import OpenSSL

/// One bank of IMA's register, extended entry by entry until it holds what was quoted.
struct IMAReplay: Sendable {
    private var state: RegisterState
    /// What kernels before 5.8 put into every bank but SHA-1's: the SHA-1 template hash and zeros.
    private var padded: RegisterState?
    private let logHash: HashAlgorithm
    private var quoted: [UInt8]
    /// After how many entries the register held what was quoted.
    private(set) var match: Int?

    init(
        _ bank: HashAlgorithm, quoted: [UInt8], logHash: HashAlgorithm, allowsPadding: Bool
    ) {
        state = RegisterState(bank)
        padded =
            allowsPadding && logHash == .sha1 && bank != .sha1 ? RegisterState(bank) : nil
        self.logHash = logHash
        self.quoted = quoted
    }

    var bank: HashAlgorithm { state.bank }

    /// Looks for another value from here on.
    mutating func expect(_ quoted: [UInt8], after count: Int) {
        self.quoted = quoted
        match = nil
        if count > 0 { compare(count) }
    }

    /// Extends by an entry whose template hash was found good, or is zero.
    mutating func extend(_ entry: borrowing IMAEntry, count: Int) {
        if entry.isViolation {
            state.extend(filledWith: 0xff)
            padded?.extend(filledWith: 0xff)
        } else if state.bank == logHash {
            state.extend(padded: entry.templateHash)
        } else {
            state.extend(digestOf: entry.data, count: entry.dataByteCount)
            padded?.extend(padded: entry.templateHash)
        }
        if match == nil { compare(count) }
    }

    private mutating func compare(_ count: Int) {
        if state.holds(quoted) {
            match = count
            // The kernel does it one way or the other, for the whole log.
            padded = nil
        } else if let other = padded, other.holds(quoted) {
            match = count
        }
    }

    /// What the log leads to, for messages.
    var value: [UInt8] { state.value }
}
