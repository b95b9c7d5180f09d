import Bytes

/// Names of files as snapshots have them, and as two of them are compared.
///
/// The kernel writes `_` for a space into its IMA log and leaves tabs, line feeds and bytes that are no
/// UTF-8 as they are; JSON cannot hold the last, and Cosmian's snapshots write `_` for all white space. So
/// each character that is white space or a control, and each byte that is no UTF-8, is one `_` on both
/// sides of a comparison. Two names that differ in such characters alone count as one name.
public enum SnapshotPath {
    /// The longest name, in bytes: that of an IMA log.
    public static let maximumByteCount = IMALogReader.maximumName

    /// Whether the name in `bytes[range]` is printable ASCII without a space, as nearly all are.
    public static func isPlain(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        bytes.isGraphic(range)
    }

    /// The name as snapshots have it.
    public static func normalized(_ name: some Sequence<UInt8>) -> [UInt8] {
        let name = Array(name)
        guard !isPlain(name, 0..<name.count) else { return name }
        var result: [UInt8] = []
        result.reserveCapacity(name.count)
        for scalar in String(decoding: name, as: UTF8.self).unicodeScalars {
            if isReplaced(scalar) {
                result.append(UInt8(ascii: "_"))
            } else {
                result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        return result
    }

    private static func isReplaced(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x20, 0x7f...0x9f, 0xfffd: true
        case 0x21...0x7e: false
        default: scalar.properties.isWhitespace
        }
    }
}
