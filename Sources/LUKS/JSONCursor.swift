import Bytes

/// A value of the JSON area together with its path, so that every refusal says where it stands.
struct JSONCursor {
    let value: JSONValue
    let path: String

    func refusal(_ expected: String) -> LUKS2Fault {
        let actual =
            switch value {
            case .string(let text): "\"\(text.printable)\""
            case .number(let digits): digits.printable
            case .boolean(let flag): "\(flag)"
            case .null, .array, .object: value.kind
            }
        return .rule(path: path, expected: expected, actual: actual)
    }

    /// The members of an object, in the order of the text.
    func members() throws(LUKS2Fault) -> [(name: String, cursor: JSONCursor)] {
        guard let members = value.members else { throw refusal("an object") }
        return members.map { ($0.name, JSONCursor(value: $0.value, path: path(to: $0.name))) }
    }

    /// The members of an object whose names are object numbers, in ascending order.
    func numberedMembers(limit: Int) throws(LUKS2Fault) -> [(number: Int, cursor: JSONCursor)] {
        var numbered: [(number: Int, cursor: JSONCursor)] = []
        for (name, cursor) in try members() {
            guard let number = Self.objectNumber(name), number < limit else {
                throw .rule(
                    path: path, expected: "object numbers from 0 to \(limit - 1)",
                    actual: "\"\(name.printable)\"")
            }
            numbered.append((number, cursor))
        }
        return numbered.sorted { $0.number < $1.number }
    }

    /// Refuses members that are not in `names`.
    func allowOnly(_ names: Set<String>) throws(LUKS2Fault) {
        for (name, cursor) in try members() where !names.contains(name) {
            throw .rule(path: cursor.path, expected: "no such member", actual: cursor.value.kind)
        }
    }

    func member(_ name: String) throws(LUKS2Fault) -> JSONCursor {
        guard let cursor = try optionalMember(name) else {
            throw .rule(path: path(to: name), expected: "a value", actual: "nothing")
        }
        return cursor
    }

    func optionalMember(_ name: String) throws(LUKS2Fault) -> JSONCursor? {
        guard value.members != nil else { throw refusal("an object") }
        return value[name].map { JSONCursor(value: $0, path: path(to: name)) }
    }

    func elements(limit: Int) throws(LUKS2Fault) -> [JSONCursor] {
        guard let array = value.array else { throw refusal("an array") }
        guard array.count <= limit else {
            throw .rule(
                path: path, expected: "at most \(limit) elements", actual: "\(array.count)")
        }
        return array.enumerated().map { JSONCursor(value: $1, path: "\(path)[\($0)]") }
    }

    func string() throws(LUKS2Fault) -> String {
        guard let text = value.string else { throw refusal("a string") }
        return text
    }

    func integer(_ bounds: ClosedRange<Int>) throws(LUKS2Fault) -> Int {
        guard let number = value.integer, bounds.contains(number) else {
            throw refusal("an integer from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }

    /// A size or offset, which LUKS2 writes as a string of decimal digits.
    func size() throws(LUKS2Fault) -> Int {
        guard let digits = value.string, let size = Int(digits), String(size) == digits, size >= 0
        else { throw refusal("a string of decimal digits") }
        return size
    }

    /// An array of object numbers, which LUKS2 writes as strings; none may stand twice.
    func objectNumbers(limit: Int) throws(LUKS2Fault) -> Set<Int> {
        var numbers: Set<Int> = []
        for element in try elements(limit: limit) {
            guard let number = Self.objectNumber(try element.string()), number < limit else {
                throw element.refusal("an object number from 0 to \(limit - 1)")
            }
            guard numbers.insert(number).inserted else {
                throw element.refusal("each number once")
            }
        }
        return numbers
    }

    /// Refuses any text but `expected`.
    func require(_ expected: String) throws(LUKS2Fault) {
        guard let text = value.string, text.utf8.elementsEqual(expected.utf8) else {
            throw refusal("\"\(expected)\"")
        }
    }

    private func path(to name: String) -> String { "\(path).\(name.printable)" }

    private static func objectNumber(_ text: String) -> Int? {
        guard let number = Int(text), number >= 0, String(number) == text else { return nil }
        return number
    }
}
