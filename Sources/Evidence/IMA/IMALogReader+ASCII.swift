import Bytes

extension IMALogReader {
    /// One line: register, template hash, template, fields, one space between them; the template data is
    /// put together again from the fields.
    ///
    /// A field that is empty leaves its space; that at the end of the line may be missing, since editors
    /// cut it off, and the template hash tells in any case.
    mutating func line() throws(ParseError) -> Bool {
        guard let end = lineEnd() else { return false }
        var at = offset
        // The kernel writes the register with "%2d".
        if at < end, bytes[at] == UInt8(ascii: " ") { at += 1 }
        let register = word(at, end)
        guard (1...2).contains(register.count), let number = decimal(register), number < 24 else {
            throw .invalid(field: "PCR of entry \(count)", rule: "must be a number below 24")
        }
        entry.register = Int(number)
        let hash = word(register.upperBound + 1, end)
        guard hash.count == 2 * entry.templateHash.count,
            bytes.decodeHex(hash, into: &entry.templateHash, at: 0)
        else {
            throw .invalid(
                field: "template hash of entry \(count)",
                rule: "must be \(2 * entry.templateHash.count) hexadecimal digits")
        }
        entry.isViolation = entry.templateHash.allSatisfy { $0 == 0 }
        let name = word(hash.upperBound + 1, end)
        guard (1...Self.maximumTemplateName).contains(name.count) else {
            throw .invalid(field: "template name of entry \(count)", rule: "must be there")
        }
        try selectTemplate(name)
        // Every field's data is shorter than its text but for lengths and ends.
        reserve(end - offset + 20 * entry.template.fields.count + 300)
        entry.clearFields()
        at = name.upperBound + 1
        if entry.template.isLegacy {
            try legacyLine(at, end)
        } else {
            try lineFields(at, end)
        }
        offset = end + 1
        return true
    }

    /// Where the line ends; nil where its end has not come yet.
    private func lineEnd() -> Int? {
        bytes.firstIndex(of: 0x0a, in: offset..<bytes.count)
    }

    /// The characters from `start` to the next space, or to the end of the line.
    private func word(_ start: Int, _ end: Int) -> Range<Int> {
        guard start < end else { return end..<end }
        return start..<(bytes.firstIndex(of: UInt8(ascii: " "), in: start..<end) ?? end)
    }

    private func decimal(_ range: Range<Int>) -> UInt32? {
        guard (1...10).contains(range.count) else { return nil }
        var value: UInt64 = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + UInt64(digit)
        }
        return UInt32(exactly: value)
    }

    private mutating func legacyLine(_ start: Int, _ end: Int) throws(ParseError) {
        let digest = word(start, end)
        guard digest.count == 40, bytes.decodeHex(digest, into: &entry.data, at: 0) else {
            throw wrong(.digest20)
        }
        let name = min(digest.upperBound + 1, end)..<end
        guard name.count <= 256 else { throw wrong(.name255) }
        for index in 0..<256 {
            entry.data[20 + index] = index < name.count ? bytes[name.lowerBound + index] : 0
        }
        finishLegacy(nameByteCount: name.count)
    }

    private mutating func lineFields(_ start: Int, _ end: Int) throws(ParseError) {
        var at = start
        var target = 0
        let last = entry.template.fields.count - 1
        for (index, field) in entry.template.fields.enumerated() {
            // The last one may be a name, and old kernels let spaces stand in it.
            let text =
                index == last && (field == .name || field == .name255)
                ? min(at, end)..<end : word(at, end)
            let first = target + 4
            guard let byteCount = encode(field, text, at: first) else { throw wrong(field) }
            for byte in 0..<4 {
                entry.data[target + byte] = UInt8(truncatingIfNeeded: byteCount >> (8 * byte))
            }
            target = first + byteCount
            guard entry.place(field, first..<target) else { throw wrong(field) }
            at = text.upperBound + 1
        }
        guard at >= end else {
            throw .trailingBytes(structure: "entry \(count)", count: end - at)
        }
        entry.dataByteCount = target
    }

    private func wrong(_ field: IMATemplate.Field) -> ParseError {
        .invalid(field: "\(field.rawValue) of entry \(count)", rule: "must be of its form")
    }

    /// Writes a field as the kernel holds it; the result is how many bytes it has.
    private mutating func encode(
        _ field: IMATemplate.Field, _ text: Range<Int>, at start: Int
    ) -> Int? {
        switch field {
        case .digest, .typedDigest, .strippedDigest:
            return text.isEmpty && field == .strippedDigest ? 0 : namedDigest(text, at: start)
        case .name, .name255, .attributeNames:
            guard field != .name || text.count < Self.maximumName else { return nil }
            copy(text, to: start)
            entry.data[start + text.count] = 0
            return text.count + 1
        case .digest20, .signature, .buffer, .appendedSignature, .evmSignature, .attributeSizes,
            .attributeValues:
            return bytes.decodeHex(text, into: &entry.data, at: start) ? text.count / 2 : nil
        case .owner, .group, .mode:
            let byteCount = field == .mode ? 2 : 4
            guard let value = decimal(text), byteCount == 4 || value <= UInt16.max else {
                return nil
            }
            for byte in 0..<byteCount {
                entry.data[start + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte))
            }
            return byteCount
        }
    }

    /// `sha256:` and digits become the name, the colon, a zero byte and the digest.
    private mutating func namedDigest(_ text: Range<Int>, at start: Int) -> Int? {
        var prefix = text.lowerBound..<text.lowerBound
        while let colon = bytes.firstIndex(
            of: UInt8(ascii: ":"), in: prefix.upperBound..<text.upperBound)
        {
            prefix = text.lowerBound..<colon + 1
        }
        guard !prefix.isEmpty else { return nil }
        copy(prefix, to: start)
        entry.data[start + prefix.count] = 0
        let digest = prefix.upperBound..<text.upperBound
        guard bytes.decodeHex(digest, into: &entry.data, at: start + prefix.count + 1) else {
            return nil
        }
        return prefix.count + 1 + digest.count / 2
    }

    private mutating func copy(_ range: Range<Int>, to start: Int) {
        entry.data.overwrite(at: start, with: bytes, range)
    }
}
