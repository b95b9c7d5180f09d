import Bytes

/// A GUID as UEFI stores it: the first three parts little-endian, the rest as written.
struct GUID: Hashable, Sendable {
    let bytes: FixedBytes<16>

    init(_ bytes: FixedBytes<16>) {
        self.bytes = bytes
    }

    /// Reads the text form; `text` is a constant of ours, so one that is none traps.
    init(_ text: StaticString) {
        guard let written = Hex.decode("\(text)".filter { $0 != "-" }), written.count == 16 else {
            preconditionFailure("not a GUID: \(text)")
        }
        var stored = FixedBytes<16>()
        for (to, from) in [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].enumerated() {
            stored[to] = written[from]
        }
        bytes = stored
    }
}
