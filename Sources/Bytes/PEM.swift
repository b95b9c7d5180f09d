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

    /// DER of each certificate of a chain in order, 1 to `maximum` of them; nil for anything else.
    ///
    /// Nothing but line breaks may stand between and around them, and zero bytes behind: Intel's
    /// quoting enclave ends its texts as C does.
    public static func certificates(_ data: [UInt8], atMost maximum: Int) -> [[UInt8]]? {
        let head = Array("-----BEGIN CERTIFICATE-----".utf8)
        let tail = Array("-----END CERTIFICATE-----".utf8)
        var rest = data[...]
        while rest.last == 0 { rest.removeLast() }
        var certificates: [[UInt8]] = []
        while true {
            rest = rest.drop(while: isLineBreak)
            if rest.isEmpty { break }
            guard certificates.count < maximum, rest.starts(with: head) else { return nil }
            rest = rest.dropFirst(head.count)
            guard let end = rest.firstIndex(of: UInt8(ascii: "-")) else { return nil }
            let characters = rest[..<end].filter { !isLineBreak($0) }
            rest = rest[end...]
            guard rest.starts(with: tail), let der = Base64.decode(characters: characters),
                der.first == 0x30
            else { return nil }
            rest = rest.dropFirst(tail.count)
            certificates.append(der)
        }
        return certificates.isEmpty ? nil : certificates
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
