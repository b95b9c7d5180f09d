import Bytes
import Foundation
import Linux

/// A folder of a test's own, deleted when the value dies.
final class ScratchFolder {
    let path = "/tmp/bootgate-runtime-\(Hex.encode(Random.bytes(8)))"

    init() throws {
        try File.makeDirectory(path, mode: 0o700)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Puts a file there, with the folders on its way; gives its whole path.
    @discardableResult
    func put(_ name: String, _ text: String, mode: UInt32 = 0o644) throws -> String {
        try put(name, Array(text.utf8), mode: mode)
    }

    @discardableResult
    func put(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws -> String {
        let whole = "\(path)/\(name)"
        try File.makeDirectories((whole as NSString).deletingLastPathComponent)
        try File.writeAtomically(whole, bytes, mode: mode)
        return whole
    }
}
