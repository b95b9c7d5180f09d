import Bytes
import LUKS

/// LUKS2 headers. What begins with a brace is the JSON text of a header that is otherwise sound;
/// everything else is the start of a device.
enum LUKS2Target {
    static func run(_ input: [UInt8]) {
        let image = input.first == UInt8(ascii: "{") ? device(json: input) : input
        guard let header = try? LUKS2Header(image: image, hashing: WeakHashing()) else { return }
        _ = header.headerDigestInput()
        guard (try? LUKS2Rules().check(header)) != nil else { return }
        let copy = header.memoryImage(hashing: WeakHashing())
        let again = try? LUKS2Header(image: copy, hashing: WeakHashing())
        precondition(
            again?.headerDigestInput() == header.headerDigestInput(),
            "the copy in memory is another header")
    }

    /// A device of 64 KiB whose primary header holds `json`; checksums are zero (`WeakHashing`).
    private static func device(json: [UInt8]) -> [UInt8] {
        let size = 0x4000
        var writer = ByteWriter()
        writer.raw([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe])
        writer.bigEndian(UInt16(2))
        writer.bigEndian(UInt64(size))
        writer.bigEndian(UInt64(1))
        writer.zeros(48)
        writer.raw("sha256".utf8)
        writer.zeros(26 + 64)
        writer.raw("00000000-0000-0000-0000-000000000000".utf8)
        writer.zeros(4 + 48)
        writer.zeros(4096 - writer.bytes.count)
        writer.raw(json.prefix(size - 4096))
        writer.zeros(65536 - writer.bytes.count)
        return writer.bytes
    }

    static var seeds: [[UInt8]] {
        [Array(json.utf8), device(json: Array(json.utf8))]
    }

    private static let json = """
        {"keyslots":{"0":{"type":"luks2","key_size":64,"af":{"type":"luks1","stripes":4000,\
        "hash":"sha256"},"area":{"type":"raw","offset":"32768","size":"8192",\
        "encryption":"aes-xts-plain64","key_size":64},"kdf":{"type":"pbkdf2","hash":"sha256",\
        "iterations":1000,"salt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}},\
        "tokens":{"0":{"type":"bootgate","keyslots":["0"],"vm":"web-1","key":"disk"}},\
        "segments":{"0":{"type":"crypt","offset":"16777216","size":"dynamic","iv_tweak":"0",\
        "encryption":"aes-xts-plain64","sector_size":512}},"digests":{"0":{"type":"pbkdf2",\
        "keyslots":["0"],"segments":["0"],"hash":"sha256","iterations":1000,\
        "salt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",\
        "digest":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}},\
        "config":{"json_size":"12288","keyslots_size":"16744448"}}
        """
}
