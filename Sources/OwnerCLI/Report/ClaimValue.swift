/// A value of a claim, as JSON has it.
indirect enum ClaimValue: Encodable, Equatable {
    case text(String)
    case number(UInt64)
    case flag(Bool)
    case none
    case list([ClaimValue])
    case object([Claim])

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let members):
            var container = encoder.container(keyedBy: MemberName.self)
            for member in members {
                guard let name = member.name else { continue }
                try container.encode(member.value, forKey: MemberName(stringValue: name))
            }
        case .list(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        case .text(let text): try encode(text, encoder)
        case .number(let number): try encode(number, encoder)
        case .flag(let flag): try encode(flag, encoder)
        case .none:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        }
    }

    private func encode(_ value: some Encodable, _ encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }

    static func texts(_ texts: [String]) -> ClaimValue { .list(texts.map(ClaimValue.text)) }

    /// In the form that masks and attributes are written in.
    static func hex(_ value: UInt64) -> ClaimValue { .text("0x" + String(value, radix: 16)) }

    private struct MemberName: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// One thing that evidence says: its name in JSON, and how people are told.
struct Claim: Equatable {
    /// Nil where people alone are told.
    let name: String?
    /// What people call it; nil where JSON alone has it.
    let title: String?
    let value: ClaimValue
    private let text: String?

    init(_ name: String?, _ title: String?, _ value: ClaimValue, _ text: String? = nil) {
        self.name = name
        self.title = title
        self.value = value
        self.text = text
    }

    /// For people.
    var shownValue: String { text ?? Self.words(value) }

    private static func words(_ value: ClaimValue) -> String {
        switch value {
        case .text(let text): text
        case .number(let number): "\(number)"
        case .flag(let flag): flag ? "yes" : "no"
        case .none: "none"
        case .list(let elements):
            elements.isEmpty ? "none" : elements.map(words).joined(separator: ", ")
        case .object(let members):
            members.map { "\($0.name ?? "") \($0.shownValue)" }.joined(separator: ", ")
        }
    }
}
