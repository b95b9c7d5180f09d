import Bytes
import OpenSSL

/// What the connection of the newest request showed, and to whom the request may go.
final class SeenPeer {
    /// Nil where no certificate was seen.
    var peer: TLSPeer?
    /// SHA-256 of the only certificate that a request may go to; nil for any.
    var only: FixedBytes<32>?

    /// Whether the connection is one that the request may go over.
    var isWanted: Bool { only == nil || peer?.certificateDigest == only }

    /// For ``HTTPSSession``, which sends nothing unless this is true.
    @unsafe func look(at ssl: OpaquePointer) -> Bool {
        peer = unsafe TLSPeer(ssl: ssl)
        return isWanted
    }
}
