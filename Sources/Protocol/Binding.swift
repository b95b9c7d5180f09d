public import Bytes

/// What evidence is made over: this TLS session, nonce, ephemeral key, configuration and disk.
public enum Binding {
    /// The report data of a launch.
    ///
    /// `SHA-512("bootgate launch v1" || v(exporter) || v(SHA-256(hello)) || v(SHA-256(challenge))
    /// || v(attestationKeyName))`, where v is a length of two bytes, then the bytes.
    ///
    /// - Parameters:
    ///   - exporter: `tls-exporter` of RFC 9266.
    ///   - hello: the whole HELLO frame, as sent.
    ///   - challenge: the whole CHALLENGE frame, as received.
    ///   - attestationKeyName: TPM name of the attestation key, or empty.
    public static func launch(
        exporter: FixedBytes<32>, hello: [UInt8], challenge: [UInt8],
        attestationKeyName: [UInt8], hashing: any Hashing
    ) -> FixedBytes<64> {
        reportData(
            for: .launch, exporter: exporter, hello: hello, challenge: challenge,
            attestationKeyName: attestationKeyName, hashing: hashing)
    }

    /// The report data of evidence that anyone may ask a running VM for, over a connection of its own:
    /// the statement in HELLO's place, the asker's nonce in CHALLENGE's (docs/runtime.md).
    ///
    /// The peer and the asker call the same function, so neither can forget a part.
    public static func runtime(
        exporter: FixedBytes<32>, statement: [UInt8], nonce: FixedBytes<32>,
        attestationKeyName: [UInt8], hashing: any Hashing
    ) -> FixedBytes<64> {
        reportData(
            for: .runtime, exporter: exporter, hello: statement, challenge: nonce.bytes,
            attestationKeyName: attestationKeyName, hashing: hashing)
    }

    /// The same for any purpose, each with its own label: a report for one is nothing for another.
    public static func reportData(
        for purpose: Purpose, exporter: FixedBytes<32>, hello: [UInt8], challenge: [UInt8],
        attestationKeyName: [UInt8], hashing: any Hashing
    ) -> FixedBytes<64> {
        var writer = ByteWriter()
        switch purpose {
        case .launch: writer.raw("bootgate launch v1".utf8)
        case .runtime: writer.raw("bootgate runtime v1".utf8)
        }
        writer.opaque(exporter.bytes, lengthBytes: 2)
        writer.opaque(hashing.sha256(hello).bytes, lengthBytes: 2)
        writer.opaque(hashing.sha256(challenge).bytes, lengthBytes: 2)
        writer.opaque(attestationKeyName, lengthBytes: 2)
        return hashing.sha512(writer.bytes)
    }
}
