public import Bytes
public import Evidence
import Linux

/// The host keys of this machine's SSH server, by their public files.
public enum SSHHostKeys {
    /// The longest public key file that is read, in bytes.
    private static let fileLimit = 16384
    /// As many as a statement may have.
    private static let countLimit = 16

    /// The fingerprints of `ssh_host_*_key.pub` in `directory`, by name of file.
    ///
    /// A file that cannot be read or is no public key is passed over: what is not in the statement is
    /// not vouched for.
    public static func read(
        in directory: String = "/etc/ssh", hashing: any Hashing
    ) -> [RuntimeStatement.SSHHostKey] {
        let names = (try? File.names(in: directory)) ?? []
        var keys: [RuntimeStatement.SSHHostKey] = []
        for name in names
        where name.hasPrefix("ssh_host_") && name.hasSuffix("_key.pub") && keys.count < countLimit {
            // Without following links out of the directory, or waiting for a pipe.
            guard
                let bytes = try? ConfinedDirectory(directory).read([name], atMost: fileLimit),
                let key = key(in: String(decoding: bytes, as: UTF8.self), hashing: hashing)
            else { continue }
            keys.append(key)
        }
        return keys
    }

    /// One line: kind, base64 of the blob, comment (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").
    static func key(in text: String, hashing: any Hashing) -> RuntimeStatement.SSHHostKey? {
        let line = text.prefix { !$0.isNewline }
        let fields = line.split(separator: " ", maxSplits: 2)
        guard fields.count >= 2, let blob = Base64.decode(fields[1]) else { return nil }
        let kind = Array(fields[0].utf8)
        // The blob names its kind too, as a string with its length before it (RFC 4253, 6.6).
        var head = ByteWriter()
        head.opaque(kind, lengthBytes: 4)
        guard (1...64).contains(kind.count), kind.allSatisfy({ (0x21...0x7e).contains($0) }),
            blob.starts(with: head.bytes), blob.count > head.bytes.count
        else { return nil }
        return RuntimeStatement.SSHHostKey(
            kind: String(fields[0]), digest: hashing.sha256(blob))
    }
}
