import Bytes
import Linux
import OpenSSL

/// The key by which an owner signs snapshots: ECDSA on P-256.
struct OwnerKey: ~Copyable {
    let key: SigningKey
    /// Where it lies.
    let path: String
    /// Whether it was made just now.
    let isNew: Bool

    /// The key at `path`, else the one of this user, which is made where there is none.
    init(_ path: String?) throws(Failure) {
        let own: String
        if let path { own = path } else { own = try Self.defaultPath() }
        let isNew = path == nil && !File.exists(own)
        let key = try isNew ? Self.make(own) : Self.read(own)
        self.key = key
        self.isNew = isNew
        self.path = own
    }

    /// Finds out beforehand what would keep a key from signing; makes none.
    static func check(_ path: String?) throws(Failure) {
        let own: String
        if let path { own = path } else { own = try Self.defaultPath() }
        if path != nil || File.exists(own) { _ = try read(own) }
    }

    /// The public half, if this user has a key: what a signature of one's own is checked with.
    static func publicKey() throws(Failure) -> VerificationKey? {
        guard let own = usualPath, File.exists(own) else { return nil }
        let key = try OwnerKey(own)
        return try key.publicKey()
    }

    borrowing func publicKey() throws(Failure) -> VerificationKey {
        do throws(CryptoError) {
            return try key.publicKey
        } catch {
            throw Failure(.internal, "the key's public half: \(error)")
        }
    }

    /// ECDSA with SHA-256 over a file of that digest, in DER.
    borrowing func sign(digest: FixedBytes<32>) throws(Failure) -> [UInt8] {
        do throws(CryptoError) {
            return try key.derSignature(overDigest: digest.bytes)
        } catch {
            throw Failure(.internal, "signing: \(error)")
        }
    }

    private static func read(_ path: String) throws(Failure) -> SigningKey {
        let pem: SecretBytes
        do throws(SystemError) {
            pem = try File.readSecret(path, atMost: 16 << 10)
        } catch {
            throw Failure(.unusableInput, "--key: \("\(error)".shown)")
        }
        do throws(CryptoError) {
            let key = try SigningKey(pem: pem)
            guard key.kind == .p256 else {
                throw CryptoError.unsupportedKey("expected P-256, is \(key.kind)")
            }
            return key
        } catch {
            throw Failure(.unusableInput, "--key: \(path.shown): \(error)")
        }
    }

    private static func make(_ path: String) throws(Failure) -> SigningKey {
        let key = try library { () throws(CryptoError) in try SigningKey.generate(.p256) }
        let pem = try library { () throws(CryptoError) in try key.pem() }
        do throws(SystemError) {
            if let slash = path.lastIndex(of: "/") {
                try File.makeDirectories(String(path[..<slash]), mode: 0o700)
            }
            try File.writeSecretAtomically(path, pem)
        } catch {
            throw Failure(.unusableInput, "the key of snapshots: \("\(error)".shown)")
        }
        return key
    }

    private static func library<Value: ~Copyable>(
        _ body: () throws(CryptoError) -> Value
    ) throws(Failure) -> Value {
        do throws(CryptoError) {
            return try body()
        } catch {
            throw Failure(.internal, "the key of snapshots: \(error)")
        }
    }

    /// `$XDG_CONFIG_HOME/bootgate/snapshot.key`, else below `~/.config`; nil where neither is known.
    private static var usualPath: String? {
        let folder = Process.environment("XDG_CONFIG_HOME").flatMap { $0.isEmpty ? nil : $0 }
        let home = Process.environment("HOME").flatMap { $0.isEmpty ? nil : $0 + "/.config" }
        return (folder ?? home).map { $0 + "/bootgate/snapshot.key" }
    }

    private static func defaultPath() throws(Failure) -> String {
        guard let path = usualPath else {
            throw Failure(
                .unusableInput, "neither XDG_CONFIG_HOME nor HOME says where keys are kept",
                next: "Next: name a key with --key.")
        }
        return path
    }
}
