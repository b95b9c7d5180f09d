import Bytes

/// Writes IMA logs in either form, entry by entry; the caller brings the hash function.
public struct IMALogBuilder: Sendable {
    /// One entry of any template but the legacy one.
    public struct Entry: Sendable {
        /// The register.
        public var register: UInt32 = 10
        /// The template's name.
        public var template: String
        /// The fields, each without its length.
        public var fields: [[UInt8]]
        /// The fields as the text form has them.
        public var texts: [String]
        /// What stands for the template hash, if not the hash of the template data.
        public var templateHash: [UInt8]?

        /// Takes the fields in both forms.
        public init(_ template: String, _ fields: [[UInt8]], _ texts: [String]) {
            self.template = template
            self.fields = fields
            self.texts = texts
        }

        /// An entry of `ima-ng`.
        public init(_ path: String, sha256: [UInt8]) {
            self.init(
                "ima-ng", [Array("sha256:".utf8) + [0] + sha256, Array(path.utf8) + [0]],
                ["sha256:" + Hex.encode(sha256), path])
        }

        /// An entry of `ima-sig`.
        public init(_ path: String, sha256: [UInt8], signature: [UInt8]) {
            self.init(path, sha256: sha256)
            template = "ima-sig"
            fields.append(signature)
            texts.append(Hex.encode(signature))
        }

        /// The template data.
        public var data: [UInt8] {
            var writer = ByteWriter()
            for field in fields {
                writer.littleEndian(UInt32(field.count))
                writer.raw(field)
            }
            return writer.bytes
        }
    }

    /// The entries.
    public var entries: [Entry]

    /// Starts with these.
    public init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    /// The binary form.
    public func binary(hash: ([UInt8]) -> [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        for entry in entries {
            writer.littleEndian(entry.register)
            writer.raw(entry.templateHash ?? hash(entry.data))
            writer.littleEndian(UInt32(entry.template.utf8.count))
            writer.raw(entry.template.utf8)
            writer.littleEndian(UInt32(entry.data.count))
            writer.raw(entry.data)
        }
        return writer.bytes
    }

    /// The text form.
    public func text(hash: ([UInt8]) -> [UInt8]) -> [UInt8] {
        entries.flatMap { entry in
            let register = entry.register < 10 ? " \(entry.register)" : "\(entry.register)"
            let words =
                [register, Hex.encode(entry.templateHash ?? hash(entry.data)), entry.template]
                + entry.texts
            return Array(words.joined(separator: " ").utf8) + [0x0a]
        }
    }
}
