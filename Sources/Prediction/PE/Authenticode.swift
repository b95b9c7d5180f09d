public import Bytes

extension PEImage {
    /// The Authenticode digest: what firmware measures when it loads the image, and what signatures sign.
    ///
    /// Left out are the checksum, the certificate table and its directory entry. Source: Microsoft,
    /// "Windows Authenticode Portable Executable Signature Format"; edk2, `Tcg2PeImageMeasure`.
    public func authenticode(
        _ algorithm: HashAlgorithm, hashing: any Hashing
    ) throws(ParseError) -> [UInt8] {
        var hashed = Array(bytes[..<checksum])
        hashed.reserveCapacity(bytes.count)
        if let certificateEntry {
            hashed += bytes[(checksum + 4)..<certificateEntry]
            hashed += bytes[(certificateEntry + 8)..<headerSize]
        } else {
            hashed += bytes[(checksum + 4)..<headerSize]
        }
        var sum = headerSize
        for section in sections.sorted(by: { $0.rawOffset < $1.rawOffset })
        where section.rawSize > 0 {
            hashed +=
                bytes[Int(section.rawOffset)..<(Int(section.rawOffset) + Int(section.rawSize))]
            sum += Int(section.rawSize)
        }
        // Whatever no section claims is hashed too; it starts where the sum of all sizes points to.
        let end = bytes.count - certificateSize
        guard sum <= end else {
            throw .invalid(field: "sections", rule: "do not overlap each other or the headers")
        }
        hashed += bytes[sum..<end]
        return hashing.digest(algorithm, hashed)
    }
}
