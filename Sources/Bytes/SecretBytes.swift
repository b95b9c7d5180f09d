/// Key material: wiped when the value dies, never copied, printed, encoded or compared with `==`.
///
/// The bytes stay at one address in the ``SecretArena``; moving the value moves a pointer.
@safe public struct SecretBytes: ~Copyable, @unchecked Sendable {
    private let storage: UnsafeMutableRawBufferPointer

    /// Takes `count` zero bytes of the arena and lets `fill` write them; wiped again if `fill` throws.
    ///
    /// A full arena traps: every taker bounds how many secrets it holds at once.
    public init<E: Error>(
        count: Int, filling fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
    ) throws(E) {
        guard let block = unsafe SecretArena.shared.allocate(count) else {
            preconditionFailure("the secret arena is full")
        }
        do {
            try unsafe fill(block)
        } catch {
            unsafe SecretArena.shared.free(block)
            throw error
        }
        unsafe storage = block
    }

    /// Copies `bytes`; wiping the source is the caller's part.
    public init(copying bytes: RawSpan) {
        unsafe self.init(count: bytes.byteCount) { block in
            for index in 0..<bytes.byteCount {
                unsafe block[index] = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            }
        }
    }

    /// How many bytes there are.
    public var count: Int { unsafe storage.count }

    /// Lends the bytes; they must not be copied to where nobody wipes them.
    public borrowing func withBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try unsafe body(UnsafeRawBufferPointer(storage))
    }

    /// Whether both hold the same bytes, in time that depends on the counts only.
    public borrowing func isEqual(to other: borrowing SecretBytes) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<count {
            difference |= unsafe storage[index] ^ other.storage[index]
        }
        return difference == 0
    }

    deinit {
        unsafe SecretArena.shared.free(storage)
    }
}
