/// Where a broker listens: `host`, `host:port` or `[IPv6]:port`.
public struct BrokerAddress: Hashable, Sendable {
    /// The port of a broker that names none.
    public static let defaultPort: UInt16 = 7411

    /// A DNS name, an IPv4 address, or an IPv6 address without brackets.
    public let host: String
    /// 1 to 65535.
    public let port: UInt16

    /// Nil unless `text` is an address of one of the three forms.
    public init?(_ text: String) {
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
            guard Self.isIPv6(host) else { return nil }
        } else {
            host = text.prefix { $0 != ":" }
            rest = text[host.endIndex...]
            guard Self.isIPv4(host) || Self.isName(host) else { return nil }
        }
        if rest.isEmpty {
            port = Self.defaultPort
        } else {
            let digits = rest.dropFirst()
            guard rest.hasPrefix(":"), !digits.hasPrefix("0"),
                digits.utf8.allSatisfy(Characters.isDigit), let port = UInt16(digits)
            else { return nil }
            self.port = port
        }
        self.host = String(host)
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.utf8.allSatisfy(Characters.isDigit) && UInt8(part) != nil
                    && (part == "0" || !part.hasPrefix("0"))
            }
    }

    /// RFC 1123 labels; the last one not all digits, or it would be a misspelt IPv4 address.
    private static func isName(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, let last = labels.last,
            !last.utf8.allSatisfy(Characters.isDigit)
        else { return false }
        return labels.allSatisfy { label in
            Characters.isName(
                label.utf8, length: 1...63, first: Characters.isAlphanumeric,
                rest: { Characters.isAlphanumeric($0) || Characters.isOne(of: "-", $0) })
                && !label.hasSuffix("-")
        }
    }

    /// RFC 4291 text without a zone: eight groups, or fewer around one `::`.
    private static func isIPv6(_ text: Substring) -> Bool {
        let halves = halves(of: text)
        guard let before = groups(halves.before, mayEndInIPv4: halves.after == nil) else {
            return false
        }
        guard let second = halves.after else { return before == 8 }
        guard let after = groups(second, mayEndInIPv4: true) else { return false }
        return before + after <= 7
    }

    /// What stands on both sides of the first `::`; no second half where there is none.
    private static func halves(of text: Substring) -> (before: Substring, after: Substring?) {
        let colon = UInt8(ascii: ":")
        let bytes = text.utf8
        for (index, next) in zip(bytes.indices, bytes.indices.dropFirst())
        where bytes[index] == colon && bytes[next] == colon {
            return (text[..<index], text[bytes.index(after: next)...])
        }
        return (text, nil)
    }

    /// How many groups of 16 bits `text` spells; nil where it spells something else.
    private static func groups(_ text: Substring, mayEndInIPv4: Bool) -> Int? {
        guard !text.isEmpty else { return 0 }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var count = 0
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, isIPv4(part) {
                count += 2
            } else if (1...4).contains(part.utf8.count),
                part.utf8.allSatisfy(Characters.isHexadecimal)
            {
                count += 1
            } else {
                return nil
            }
        }
        return count
    }
}

extension BrokerAddress: CustomStringConvertible {
    /// The text in `gate.conf`, always with the port.
    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
