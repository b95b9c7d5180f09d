import Bytes
import Foundation
import Glibc
import Linux
import OpenSSL

/// A folder of files that goes when the value does.
final class TemporaryTree: Sendable {
    let path: String

    init() throws {
        // Not below /tmp as a name of its own: a snapshot leaves that out.
        let base = NSTemporaryDirectory() + "bootgate-" + Hex.encode(Random.bytes(8))
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        path = base
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of something in it.
    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, and the folders it lies in.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = self(name)
        let folder = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try write(name, Array(text.utf8))
    }

    /// A file of so many bytes that takes no room on the disk.
    func writeSparse(_ name: String, size: Int) throws {
        let file = try write(name, [])
        guard unsafe truncate(file, size) == 0 else { throw POSIXError(.EIO) }
    }

    func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: self(name))))
    }

}

/// Mounts over a folder of a test's, and takes the mount away; false where this process may not.
func mount(_ source: String, at folder: String, _ type: String?, _ flags: UInt, _ data: String = "")
    -> Bool
{
    unsafe mount(source, folder, type, flags, data) == 0
}

func unmount(_ folder: String) {
    unsafe umount2(folder, Int32(MNT_DETACH))
}

func sha256(_ text: String) -> [UInt8] { OpenSSLHashing().sha256(Array(text.utf8)).bytes }
