public import Bytes

extension LUKS2Header {
    /// What the header digest is the SHA-256 of; docs/luks.md has the layout.
    ///
    /// The binary header's salt, sequence number, label and checksum are left out, as is space that
    /// no keyslot uses: they change without changing what the volume is.
    public func headerDigestInput() -> [UInt8] {
        var writer = ByteWriter()
        func field(_ bytes: some Collection<UInt8>) {
            writer.bigEndian(UInt64(bytes.count))
            writer.raw(bytes)
        }
        field("bootgate luks2 header v1".utf8)
        field(uuid.utf8)
        field(jsonText)
        for keyslot in keyslots {
            field(image[keyslot.area])
        }
        return writer.bytes
    }

    /// The header digest of design: SHA-256 over ``headerDigestInput()``.
    public func digest(hashing: any Hashing) -> FixedBytes<32> {
        hashing.sha256(headerDigestInput())
    }

    /// An image for libcryptsetup in which both copies are the chosen one.
    ///
    /// Only what the digest covers is taken over: label, subsystem, padding and the space between
    /// keyslot areas are zero.
    public func memoryImage(hashing: any Hashing) -> [UInt8] {
        let size = binary.headerSize
        var bytes: [UInt8] = []
        bytes.reserveCapacity(image.count)
        for offset in [0, size] {
            var copy = binary.encoded(at: offset)
            copy.append(contentsOf: jsonText)
            copy.append(contentsOf: repeatElement(0, count: size - copy.count))
            let checksum = hashing.sha256(copy).bytes
            let start = LUKS2BinaryHeader.checksumOffset
            copy.replaceSubrange(start..<start + checksum.count, with: checksum)
            bytes.append(contentsOf: copy)
        }
        for keyslot in keyslots.sorted(by: { $0.area.lowerBound < $1.area.lowerBound }) {
            let gap = keyslot.area.lowerBound - bytes.count
            bytes.append(contentsOf: repeatElement(0, count: gap))
            bytes.append(contentsOf: image[keyslot.area])
        }
        return bytes
    }
}
