import Bytes

extension IMALogReader {
    /// One record: register, template hash, length and name of the template, length and template data; all
    /// numbers 4 bytes, little-endian. The legacy template has no length, but its two fields.
    mutating func record() throws(ParseError) -> Bool {
        let hashSize = form.hash.size
        var at = offset
        guard bytes.count - at >= 8 + hashSize else { return false }
        let register = number(at)
        guard register < 24 else {
            throw .outOfRange(field: "PCR of entry \(count)", value: UInt64(register))
        }
        at += 4
        let hash = at
        at += hashSize
        let nameCount = try length(at, "template name", 1...Self.maximumTemplateName)
        at += 4
        guard bytes.count - at >= nameCount else { return false }
        try selectTemplate(at..<at + nameCount)
        at += nameCount
        guard let end = try dataEnd(at) else { return false }
        let data = entry.template.isLegacy ? at : at + 4
        entry.register = register
        takeHash(at: hash)
        take(data..<end)
        if entry.template.isLegacy {
            try legacyFields()
        } else {
            try fields()
        }
        offset = end
        return true
    }

    /// Where the template data ends that starts at `start`; nil where it has not come yet.
    private func dataEnd(_ start: Int) throws(ParseError) -> Int? {
        guard entry.template.isLegacy else {
            guard bytes.count - start >= 4 else { return nil }
            let byteCount = try length(start, "template data", 0...Self.maximumEntry)
            return bytes.count - start - 4 >= byteCount ? start + 4 + byteCount : nil
        }
        guard bytes.count - start >= 24 else { return nil }
        let byteCount = try length(start + 20, "name", 0...Self.maximumName)
        return bytes.count - start - 24 >= byteCount ? start + 24 + byteCount : nil
    }

    private func number(_ at: Int) -> Int {
        Int(bytes[at]) | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2]) << 16
            | Int(bytes[at + 3]) << 24
    }

    private func length(
        _ at: Int, _ field: String, _ bounds: ClosedRange<Int>
    ) throws(ParseError) -> Int {
        let value = number(at)
        guard bounds.contains(value) else {
            throw .lengthOutOfBounds(
                field: "\(field) of entry \(count)", length: value, minimum: bounds.lowerBound,
                maximum: bounds.upperBound)
        }
        return value
    }

    private mutating func takeHash(at start: Int) {
        var any: UInt8 = 0
        for index in 0..<entry.templateHash.count {
            let byte = bytes[start + index]
            entry.templateHash[index] = byte
            any |= byte
        }
        entry.isViolation = any == 0
    }

    private mutating func take(_ range: Range<Int>) {
        reserve(range.count)
        entry.data.overwrite(at: 0, with: bytes, range)
        entry.dataByteCount = range.count
    }

    /// The legacy template is hashed as its digest and its name in 256 bytes, without the length between.
    private mutating func legacyFields() throws(ParseError) {
        let byteCount = entry.dataByteCount - 24
        guard byteCount <= 256 else {
            throw .lengthOutOfBounds(
                field: "name of entry \(count)", length: byteCount, minimum: 0, maximum: 256)
        }
        reserve(276)
        for index in 0..<256 {
            entry.data[20 + index] = index < byteCount ? entry.data[24 + index] : 0
        }
        finishLegacy(nameByteCount: byteCount)
    }

    /// Says where digest and name are in the 276 bytes of the legacy template.
    mutating func finishLegacy(nameByteCount: Int) {
        entry.dataByteCount = 276
        entry.digest = 0..<20
        entry.algorithm = .sha1
        entry.isVerity = false
        entry.name = 20..<20 + nameByteCount
        entry.signature = 0..<0
        entry.buffer = 0..<0
    }

    /// Finds the fields in the template data, each a length of 4 bytes and so many bytes.
    private mutating func fields() throws(ParseError) {
        entry.clearFields()
        var at = 0
        for field in entry.template.fields {
            guard entry.dataByteCount - at >= 4 else { throw tooShort(field) }
            let byteCount =
                Int(entry.data[at]) | Int(entry.data[at + 1]) << 8 | Int(entry.data[at + 2]) << 16
                | Int(entry.data[at + 3]) << 24
            at += 4
            guard entry.dataByteCount - at >= byteCount else { throw tooShort(field) }
            guard entry.place(field, at..<at + byteCount) else {
                throw .invalid(
                    field: "\(field.rawValue) of entry \(count)", rule: "must be of its form")
            }
            at += byteCount
        }
        guard at == entry.dataByteCount else {
            throw .trailingBytes(
                structure: "template data of entry \(count)", count: entry.dataByteCount - at)
        }
    }

    private func tooShort(_ field: IMATemplate.Field) -> ParseError {
        .invalid(
            field: "\(field.rawValue) of entry \(count)",
            rule: "must end within the template data")
    }
}

extension IMAEntry {
    mutating func clearFields() {
        algorithm = nil
        isVerity = false
        digest = 0..<0
        name = 0..<0
        signature = 0..<0
        buffer = 0..<0
    }

    /// Notes where a field is; false where it is not of its form.
    mutating func place(_ field: IMATemplate.Field, _ range: Range<Int>) -> Bool {
        switch field {
        case .digest20:
            guard range.count == 20 else { return false }
            digest = range
            algorithm = .sha1
        case .digest, .typedDigest:
            return placeDigest(range, isTyped: field == .typedDigest)
        case .name, .name255:
            // The end of the string counts as part of it.
            guard range.count > 0, range.count <= IMALogReader.maximumName,
                data[range.upperBound - 1] == 0
            else { return false }
            name = range.lowerBound..<range.upperBound - 1
        case .signature: signature = range
        case .buffer: buffer = range
        case .strippedDigest, .appendedSignature, .evmSignature, .owner, .group, .mode,
            .attributeNames, .attributeSizes, .attributeValues:
            break
        }
        return true
    }

    /// `sha256:` or `verity:sha256:`, a zero byte, and the digest.
    private mutating func placeDigest(_ range: Range<Int>, isTyped: Bool) -> Bool {
        var end = range.lowerBound
        while end < range.upperBound, data[end] != 0 {
            guard end - range.lowerBound < 32 else { return false }
            end += 1
        }
        guard end < range.upperBound, end > range.lowerBound,
            data[end - 1] == UInt8(ascii: ":")
        else { return false }
        var start = range.lowerBound
        if isTyped {
            guard let colon = data[start..<end].firstIndex(of: UInt8(ascii: ":")) else {
                return false
            }
            switch data[start..<colon] {
            case Self.ima[...]: isVerity = false
            case Self.verity[...]: isVerity = true
            default: return false
            }
            start = colon + 1
        }
        guard start < end - 1 else { return false }
        algorithm = Self.algorithm(data, start..<end - 1)
        digest = end + 1..<range.upperBound
        return algorithm.map { digest.count == $0.size } ?? (digest.count <= 64)
    }

    private static let ima = Array("ima".utf8)
    private static let verity = Array("verity".utf8)

    /// The function that the kernel calls so (crypto/hash_info.c).
    static func algorithm(_ text: [UInt8], _ range: Range<Int>) -> HashAlgorithm? {
        let start = range.lowerBound
        guard range.count >= 4, text[start] == UInt8(ascii: "s"),
            text[start + 1] == UInt8(ascii: "h"), text[start + 2] == UInt8(ascii: "a")
        else { return nil }
        if range.count == 4 { return text[start + 3] == UInt8(ascii: "1") ? .sha1 : nil }
        guard range.count == 6 else { return nil }
        switch (text[start + 3], text[start + 4], text[start + 5]) {
        case (UInt8(ascii: "2"), UInt8(ascii: "5"), UInt8(ascii: "6")): return .sha256
        case (UInt8(ascii: "3"), UInt8(ascii: "8"), UInt8(ascii: "4")): return .sha384
        case (UInt8(ascii: "5"), UInt8(ascii: "1"), UInt8(ascii: "2")): return .sha512
        default: return nil
        }
    }
}
