import Bytes

/// A unified kernel image: systemd-stub with a kernel and what belongs to it, as sections.
public struct UnifiedKernelImage: Sendable {
    /// The image as a PE file.
    let pe: PEImage
    /// Release of the stub, such as `257.13-1~deb13u1`; nil if the image does not say.
    public let stubVersion: String?
    /// The content of each section in memory, for the profile that was asked for.
    let contents: [UKISection: [UInt8]]

    /// Which sections there are, in the order of their measurement.
    public var sections: [UKISection] { UKISection.allCases.filter { contents[$0] != nil } }

    /// The major release of the stub.
    var stubRelease: Int? { stubVersion.flatMap { Int($0.prefix(while: \.isNumber)) } }

    /// Reads an image and chooses a profile.
    ///
    /// A profile's sections stand behind its `.profile` section and replace those that stand before
    /// the first one. Profile 0 is implied where there is none.
    public init(parsing bytes: [UInt8], profile: Int = 0) throws(PredictionError) {
        let (pe, contents) = try Prediction.parsing("UKI") { () throws(ParseError) in
            let pe = try PEImage(parsing: bytes)
            let contents = try Self.contents(pe, profile: profile)
            guard contents[.linux] != nil else {
                throw ParseError.invalid(field: ".linux", rule: "is in every UKI")
            }
            return (pe, contents)
        }
        self.pe = pe
        self.contents = contents
        stubVersion = Self.version(pe)
    }

    /// The known sections of an add-on, which is an image without a kernel.
    static func contents(ofAddon bytes: [UInt8]) throws(ParseError) -> [UKISection: [UInt8]] {
        try contents(PEImage(parsing: bytes), profile: 0)
    }

    private static func contents(
        _ pe: PEImage, profile: Int
    ) throws(ParseError) -> [UKISection: [UInt8]] {
        try checkAddresses(pe)
        return try sections(pe, profile: profile).mapValues { content($0, pe) }
    }

    /// The chosen rows, one for each name; rows without content are as good as absent.
    private static func sections(
        _ pe: PEImage, profile: Int
    ) throws(ParseError) -> [UKISection: PEImage.Section] {
        let starts = pe.sections.indices.filter {
            pe.sections[$0].name == UKISection.profile.rawValue
        }
        var parts = [pe.sections[..<(starts.first ?? pe.sections.count)]]
        if starts.indices.contains(profile) {
            let next = profile + 1
            let end = next < starts.count ? starts[next] : pe.sections.count
            parts.append(pe.sections[starts[profile]..<end])
        } else if profile != 0 {
            throw .outOfRange(field: ".profile", value: UInt64(max(0, profile)))
        }
        var chosen: [UKISection: PEImage.Section] = [:]
        for part in parts {
            var seen: Set<UKISection> = []
            for row in part {
                guard let section = UKISection(rawValue: row.name) else { continue }
                // The stub takes the first of a name; an image with a second one is a trap.
                guard section == .dtbauto || seen.insert(section).inserted else {
                    throw .invalid(field: row.name, rule: "stands there once")
                }
                chosen[section] = row
            }
        }
        return chosen.filter { $0.value.virtualSize > 0 }
    }

    /// Zero bytes behind the contents of all sections at most; a kernel may ask for room to unpack itself.
    private static let maximumFill = 256 << 20

    /// Sections lie in memory in their order and do not overlap, so that each is what it says.
    private static func checkAddresses(_ pe: PEImage) throws(ParseError) {
        var end = 0
        var fill = 0
        for row in pe.sections {
            guard Int(row.virtualAddress) >= end else {
                throw .invalid(field: "VirtualAddress", rule: "lies behind the section before")
            }
            end = Int(row.virtualAddress) + Int(row.virtualSize)
            guard end <= PEImage.maximumSize else {
                throw .outOfRange(field: "VirtualSize", value: UInt64(row.virtualSize))
            }
            // Measuring makes these bytes; a small file must not ask for a gigabyte of them.
            fill += max(0, Int(row.virtualSize) - Int(row.rawSize))
            guard fill <= maximumFill else {
                throw .outOfRange(field: "VirtualSize", value: UInt64(row.virtualSize))
            }
        }
    }

    /// VirtualSize bytes: what the file has of them, then zero bytes.
    private static func content(_ row: PEImage.Section, _ pe: PEImage) -> [UInt8] {
        let start = Int(row.rawOffset)
        let stored = min(Int(row.rawSize), Int(row.virtualSize))
        var content: [UInt8] = []
        content.reserveCapacity(Int(row.virtualSize))
        if stored > 0 { content += pe.bytes[start..<(start + stored)] }
        content.append(contentsOf: repeatElement(0, count: Int(row.virtualSize) - stored))
        return content
    }

    private static func version(_ pe: PEImage) -> String? {
        guard let row = pe.sections.first(where: { $0.name == ".sdmagic" }) else { return nil }
        let text = String(decoding: content(row, pe).prefix(256).prefix { $0 != 0 }, as: UTF8.self)
        let (prefix, suffix) = ("#### LoaderInfo: systemd-stub ", " ####")
        guard text.hasPrefix(prefix), text.hasSuffix(suffix) else { return nil }
        return String(text.dropFirst(prefix.count).dropLast(suffix.count))
    }
}
