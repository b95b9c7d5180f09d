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

    /// Puts a shell script there that can be executed at once; gives its whole path.
    @discardableResult
    func program(_ name: String, _ text: String) throws -> String {
        let whole = try put(name, "#!/bin/sh\n[ \"$1\" = probe ] && exit\n\(text)\n", mode: 0o755)
        // A test beside this one may just be starting a program, whose child still has our file open for
        // writing: then the kernel answers "Text file busy" until that child is another program.
        for _ in 0..<6000 {
            if (try? Subprocess.run([whole, "probe"], milliseconds: 10_000)) != nil { break }
            Clock.sleep(milliseconds: 10)
        }
        return whole
    }
}
