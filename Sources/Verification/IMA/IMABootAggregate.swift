internal import Bytes
internal import Evidence
internal import OpenSSL

/// The first entry of a log, which stands for the registers that the start was measured into.
///
/// Linux, security/integrity/ima/ima_crypto.c, `ima_calc_boot_aggregate`: the digest of PCR 0 to 7, and
/// from 5.8 on of PCR 0 to 9 in banks other than SHA-1.
struct IMABootAggregate: Sendable {
    /// Whether the digest is that of the registers; nil where they are not known.
    let isProven: Bool?
    /// The digest, for messages.
    let digest: String

    /// Nil where the entry is no boot aggregate.
    init?(_ entry: borrowing IMAEntry, _ registers: RegisterValues?) {
        guard entry.data[entry.name].elementsEqual("boot_aggregate".utf8) else { return nil }
        let digest = Array(entry.data[entry.digest])
        self.digest = Hex.encode(digest)
        guard let registers, let bank = entry.algorithm else {
            isProven = nil
            return
        }
        let lengths = bank == .sha1 ? [8] : [8, 10]
        let values = (0..<10).map { registers[bank, $0] }
        guard !values.prefix(8).contains(nil) else {
            isProven = nil
            return
        }
        isProven = lengths.contains { count in
            let known = values.prefix(count).compactMap { $0 }
            return known.count == count
                && OpenSSLHashing().digest(bank, Array(known.joined())) == digest
        }
    }
}
