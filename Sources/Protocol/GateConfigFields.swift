import Bytes

/// The lines of a `gate.conf`, taken key by key; what is left at the end was not known.
struct GateConfigFields {
    private struct Line {
        let number: Int
        let key: String
        let value: String
    }

    private var lines: [Line] = []

    init(_ bytes: [UInt8]) throws(GateConfigError) {
        guard bytes.count <= GateConfig.maximumLength else {
            throw GateConfigError(
                expected: "at most \(GateConfig.maximumLength) bytes", actual: "\(bytes.count)")
        }
        let parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let number = index + 1
            guard let text = String(validating: part, as: UTF8.self) else {
                throw GateConfigError(line: number, expected: "UTF-8", actual: "other bytes")
            }
            for scalar in text.unicodeScalars where Self.isControl(scalar) {
                throw GateConfigError(
                    line: number, expected: "printable characters",
                    actual: "U+" + String(scalar.value, radix: 16, uppercase: true))
            }
            let trimmed = Self.trim(text[...])
            if trimmed.isEmpty || trimmed.hasPrefix("#") { continue }
            guard let equals = trimmed.firstIndex(of: "=") else {
                throw GateConfigError(
                    line: number, expected: "key = value", actual: String(trimmed))
            }
            lines.append(
                Line(
                    number: number, key: String(Self.trim(trimmed[..<equals])),
                    value: String(Self.trim(trimmed[trimmed.index(after: equals)...]))))
        }
    }

    /// Takes a key that must be there exactly once.
    mutating func one<T>(
        _ key: String, expected: String, _ make: (String) -> T?
    ) throws(GateConfigError) -> T {
        guard let value = try optional(key, expected: expected, make) else {
            throw GateConfigError(key: key, expected: expected, actual: "no such key")
        }
        return value
    }

    /// Takes a key that may be there once.
    mutating func one<T>(
        _ key: String, default: T, expected: String, _ make: (String) -> T?
    ) throws(GateConfigError) -> T {
        try optional(key, expected: expected, make) ?? `default`
    }

    /// Takes a key that must be there once or more, no value twice.
    mutating func many<T: Equatable>(
        _ key: String, atMost maximum: Int, expected: String, _ make: (String) -> T?
    ) throws(GateConfigError) -> [T] {
        var values: [T] = []
        for line in take(key) {
            guard let value = make(line.value) else {
                throw GateConfigError(
                    line: line.number, key: key, expected: expected, actual: line.value)
            }
            guard !values.contains(value) else {
                throw GateConfigError(
                    line: line.number, key: key, expected: "no value twice", actual: line.value)
            }
            values.append(value)
            guard values.count <= maximum else {
                throw GateConfigError(
                    line: line.number, key: key, expected: "at most \(maximum) lines",
                    actual: "more")
            }
        }
        guard !values.isEmpty else {
            throw GateConfigError(key: key, expected: expected, actual: "no such key")
        }
        return values
    }

    mutating func action(
        _ key: String, default: GateConfig.FailureAction
    ) throws(GateConfigError) -> GateConfig.FailureAction {
        try one(
            key, default: `default`,
            expected: GateConfigValue.choices(GateConfig.FailureAction.self),
            GateConfig.FailureAction.init(rawValue:))
    }

    /// Refuses every key that nobody took.
    func finish() throws(GateConfigError) {
        guard let line = lines.first else { return }
        throw GateConfigError(
            line: line.number, key: line.key, expected: "a known key", actual: line.key)
    }

    private mutating func optional<T>(
        _ key: String, expected: String, _ make: (String) -> T?
    ) throws(GateConfigError) -> T? {
        let found = take(key)
        guard let first = found.first else { return nil }
        if found.count > 1 {
            throw GateConfigError(
                line: found[1].number, key: key, expected: "the key once",
                actual: "it again after line \(first.number)")
        }
        guard let value = make(first.value) else {
            throw GateConfigError(
                line: first.number, key: key, expected: expected, actual: first.value)
        }
        return value
    }

    private mutating func take(_ key: String) -> [Line] {
        let found = lines.filter { $0.key == key }
        lines.removeAll { $0.key == key }
        return found
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse: true
        default: false
        }
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// The grammars of single values.
enum GateConfigValue {
    static func choices<T: CaseIterable & RawRepresentable<String>>(_ type: T.Type) -> String {
        T.allCases.map(\.rawValue).joined(separator: ", ")
    }

    static func pin(_ text: String) -> FixedBytes<32>? {
        guard text.hasPrefix("sha256:") else { return nil }
        let digits = text.dropFirst(7)
        return digits.utf8.allSatisfy(Characters.isLowerHexadecimal)
            ? FixedBytes(hex: String(digits)) : nil
    }

    static func uuid(_ text: String) -> String? {
        guard text.hasPrefix("UUID=") else { return nil }
        let uuid = Array(text.utf8.dropFirst(5))
        let dashes = [8, 13, 18, 23]
        guard uuid.count == 36 else { return nil }
        for (index, byte) in uuid.enumerated() {
            let isRight =
                dashes.contains(index)
                ? byte == UInt8(ascii: "-") : Characters.isLowerHexadecimal(byte)
            guard isRight else { return nil }
        }
        return String(decoding: uuid, as: UTF8.self)
    }

    static func mappingName(_ text: String) -> String? {
        let isRight = Characters.isName(
            text.utf8, length: 1...64, first: Characters.isAlphanumeric,
            rest: { Characters.isAlphanumeric($0) || Characters.isOne(of: "._-", $0) })
        // device-mapper's own control node.
        return isRight && text != "control" ? text : nil
    }

    /// A null cipher would hand the disk's content to the host.
    static func cipher(_ text: String) -> String? {
        let isRight = Characters.isName(
            text.utf8, length: 1...64, first: Characters.isLowerAlphanumeric,
            rest: { Characters.isLowerAlphanumeric($0) || Characters.isOne(of: "-:,_", $0) })
        return isRight && !text.contains("null") ? text : nil
    }

    static func flag(_ text: String) -> Bool? {
        ["no": false, "yes": true][text]
    }

    static func keyBits(_ text: String) -> Int? {
        ["128": 128, "256": 256, "384": 384, "512": 512][text]
    }
}
