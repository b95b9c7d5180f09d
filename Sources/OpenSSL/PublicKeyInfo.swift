import Bytes

/// The numbers of a public key and their one DER form, a SubjectPublicKeyInfo of RFC 5280.
///
/// Written and read here rather than by libcrypto: its reader takes other forms of the same key too,
/// and a key that is pinned by its digest may have one only.
enum PublicKeyInfo: Equatable {
    /// x || y, each padded to the curve's size, big-endian.
    case ec(VerificationKey.ECKind, point: [UInt8])
    /// Both big-endian, without leading zeros.
    case rsa(modulus: [UInt8], exponent: [UInt8])

    /// Reads exactly one key in its canonical form; nil for anything else.
    init?(der: [UInt8]) {
        for kind in VerificationKey.ECKind.allCases {
            let head = Self.head(kind)
            if der.count == head.count + 2 * kind.size, der.starts(with: head) {
                self = .ec(kind, point: Array(der.dropFirst(head.count)))
                return
            }
        }
        guard let numbers = Self.rsaNumbers(der) else { return nil }
        self = .rsa(modulus: numbers.modulus, exponent: numbers.exponent)
        guard self.der == der else { return nil }
    }

    /// The SubjectPublicKeyInfo.
    var der: [UInt8] {
        switch self {
        case .ec(let kind, let point):
            return Self.head(kind) + point
        case .rsa(let modulus, let exponent):
            let numbers = Self.element(
                0x30, Self.integer(modulus) + Self.integer(exponent))
            return Self.element(
                0x30, Self.rsaAlgorithm + Self.element(0x03, [0] + numbers))
        }
    }

    /// Everything before x: the algorithm, the curve and the mark of an uncompressed point.
    private static func head(_ kind: VerificationKey.ECKind) -> [UInt8] {
        let ecPublicKey: [UInt8] = [0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]
        let curve: [UInt8] =
            switch kind {
            case .p256: [0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]
            case .p384: [0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x22]
            case .p521: [0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x23]
            }
        let point = [UInt8](repeating: 0, count: 2 * kind.size)
        let whole = element(
            0x30, element(0x30, ecPublicKey + curve) + element(0x03, [0, 4] + point))
        return Array(whole.dropLast(point.count))
    }

    /// rsaEncryption with its NULL (RFC 3279, section 2.3.1).
    private static let rsaAlgorithm: [UInt8] = [
        0x30, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0,
    ]

    /// Finds the numbers; whether all around them is canonical shows when it is written again.
    private static func rsaNumbers(
        _ der: [UInt8]
    ) -> (modulus: [UInt8], exponent: [UInt8])? {
        guard let whole = contents(0x30, der[...]), whole.starts(with: rsaAlgorithm),
            let bits = contents(0x03, whole.dropFirst(rsaAlgorithm.count)), bits.first == 0,
            let numbers = contents(0x30, bits.dropFirst()),
            let modulus = contents(0x02, numbers)
        else { return nil }
        let rest = numbers[modulus.endIndex...]
        guard let exponent = contents(0x02, rest) else { return nil }
        return (
            Array(modulus.drop { $0 == 0 }), Array(exponent.drop { $0 == 0 })
        )
    }

    /// The contents of the element that `bytes` starts with; at most 64 KiB of them.
    private static func contents(_ tag: UInt8, _ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var rest = bytes
        guard rest.popFirst() == tag, let first = rest.popFirst() else { return nil }
        var count = Int(first)
        if first > 0x80 {
            guard first <= 0x82 else { return nil }
            count = 0
            for _ in 0..<(first - 0x80) {
                guard let byte = rest.popFirst() else { return nil }
                count = count << 8 | Int(byte)
            }
        }
        guard count <= rest.count else { return nil }
        return rest.prefix(count)
    }

    private static func integer(_ number: [UInt8]) -> [UInt8] {
        element(0x02, (number.first ?? 0x80) >= 0x80 ? [0] + number : number)
    }

    private static func element(_ tag: UInt8, _ contents: [UInt8]) -> [UInt8] {
        let count = contents.count
        let low = UInt8(truncatingIfNeeded: count)
        let length: [UInt8] =
            switch count {
            case ..<0x80: [low]
            case ..<0x100: [0x81, low]
            default: [0x82, UInt8(truncatingIfNeeded: count >> 8), low]
            }
        return [tag] + length + contents
    }
}
