import Bytes
import Foundation
import LUKS
import OpenSSL

let hashing = OpenSSLHashing()

/// A file with a LUKS2 volume of ours in it, gone with the value.
final class VolumeFile {
    let path: String
    let volumeKey: [UInt8]

    init(volumeKey: [UInt8] = Array(repeating: 7, count: 64)) throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("bootgate-luks-\(UUID().uuidString)").path
        self.volumeKey = volumeKey
        try Data().write(to: URL(fileURLWithPath: path))
        try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: 20 << 20)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func formatted() throws -> Self {
        _ = try LUKSVolume.format(device: path, volumeKey: secret(volumeKey))
        return self
    }

    func addKeyslot(_ passphrase: [UInt8]) throws -> Int {
        try LUKSVolume(device: path)
            .addKeyslot(volumeKey: secret(volumeKey), passphrase: secret(passphrase))
    }

    var bytes: [UInt8] {
        get throws { Array(try Data(contentsOf: URL(fileURLWithPath: path)).prefix(1 << 20)) }
    }

    func header() throws -> LUKS2Header {
        try LUKS2Header(
            image: Array(try Data(contentsOf: URL(fileURLWithPath: path))), hashing: hashing)
    }
}

func secret(_ bytes: [UInt8]) -> SecretBytes {
    unsafe SecretBytes(copying: bytes.span.bytes)
}

func bytes(_ secret: borrowing SecretBytes) -> [UInt8] {
    unsafe secret.withBytes { unsafe Array($0) }
}

/// The bytes of an image whose JSON is `text`: both copies, checksums right.
func image(from bytes: [UInt8], json text: String) -> [UInt8] {
    var result = bytes
    for start in [0, 0x4000] {
        let area = Array(text.utf8)
        precondition(area.count < 0x3000)
        let padded = area + Array(repeating: 0, count: 0x3000 - area.count)
        result.replaceSubrange(start + 4096..<start + 0x4000, with: padded)
        reseal(&result, at: start)
    }
    return result
}

/// Makes the checksum of the copy at `start` right again.
func reseal(_ bytes: inout [UInt8], at start: Int) {
    let checksum = start + 0x1c0
    bytes.replaceSubrange(checksum..<checksum + 64, with: Array(repeating: 0, count: 64))
    let digest = hashing.sha256(Array(bytes[start..<start + 0x4000])).bytes
    bytes.replaceSubrange(checksum..<checksum + 32, with: digest)
}
