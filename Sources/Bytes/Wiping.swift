extension Array<UInt8> {
    /// Overwrites every byte; for buffers that a library filled with a secret outside the arena.
    ///
    /// Not optimised and never inlined, so that the stores survive although nobody reads them again. It
    /// cannot reach copies that were made before.
    @inline(never)
    @_optimize(none)
    public mutating func wipe() {
        for index in indices {
            self[index] = 0
        }
    }

    /// The secret that the Base64 text at `range` stands for, or nil for any other text.
    public func secret(base64 range: Range<Int>) -> SecretBytes? {
        unsafe SecretBytes(base64: span.extracting(range).bytes)
    }
}
