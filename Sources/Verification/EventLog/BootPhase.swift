internal import Bytes
internal import OpenSSL

/// The words that systemd extends PCR 11 with while a machine starts: systemd-pcrphase.service(8).
enum BootPhase {
    /// In the order in which they are reached.
    private static let words = ["enter-initrd", "leave-initrd", "sysinit", "ready"]

    /// The words that lead from one value of PCR 11 to another; nil where none do.
    ///
    /// The firmware's log ends before them, and without them no machine with a unified kernel image
    /// would replay. Each is the hash of the word without an end.
    static func passed(from start: [UInt8], to end: [UInt8], _ bank: HashAlgorithm) -> [String]? {
        let hashing = OpenSSLHashing()
        var value = start
        for (index, word) in words.enumerated() {
            value = hashing.digest(bank, value + hashing.digest(bank, Array(word.utf8)))
            if value == end { return Array(words[...index]) }
        }
        return nil
    }
}
