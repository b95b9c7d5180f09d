/// The textual form of certificates and public keys of RFC 7468.
public enum PEM {
    /// DER of the one certificate in `data`, which may be DER or PEM; nil for anything else.
    ///
    /// DER is taken by its first byte and not looked into. Nothing but line breaks may surround PEM.
    public static func certificate(_ data: [UInt8]) -> [UInt8]? {
        data.first == 0x30 ? data : contents(data, label: "CERTIFICATE")
    }

    /// DER of the one SubjectPublicKeyInfo in `data`, a PEM text with nothing but line breaks around;
    /// nil for anything else.
    public static func publicKey(_ data: [UInt8]) -> [UInt8]? {
        contents(data, label: "PUBLIC KEY")
    }

    private static func contents(_ data: [UInt8], label: String) -> [UInt8]? {
        let head = Array("-----BEGIN \(label)-----".utf8)
        let tail = Array("-----END \(label)-----".utf8)
        guard data.starts(with: head) else { return nil }
        var characters: [UInt8] = []
        characters.reserveCapacity(data.count)
        var index = head.count
        while index < data.count, data[index] != UInt8(ascii: "-") {
            if !isLineBreak(data[index]) { characters.append(data[index]) }
            index += 1
        }
        guard data[index...].starts(with: tail),
            data[(index + tail.count)...].allSatisfy(isLineBreak),
            let der = Base64.decode(characters: characters), der.first == 0x30
        else { return nil }
        return der
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool { byte == 0x0a || byte == 0x0d }
}
