import Bytes

/// A secret from a test vector.
func secret(hex: String) -> SecretBytes {
    secret(Hex.decode(hex) ?? [])
}

func secret(_ bytes: [UInt8]) -> SecretBytes {
    unsafe SecretBytes(copying: bytes.span.bytes)
}

/// The bytes of a secret, to compare with a vector.
func reveal(_ secret: borrowing SecretBytes) -> [UInt8] {
    unsafe secret.withBytes { unsafe Array($0) }
}

func bytes(_ hex: String) -> [UInt8] {
    Hex.decode(hex) ?? []
}
