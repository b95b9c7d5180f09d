import Bytes

/// Everything the simulated launch digest covers, as the lab really starts the VM.
struct LaunchInputs {
    var firmware: [UInt8]
    var vcpus: UInt32
    var kernel: [UInt8]
    var initrd: [UInt8]
    /// The kernel command line, without the trailing NUL.
    var commandLine: String

    /// The parts in the order in which they are measured, each as the label and the value that
    /// go into the chain.
    ///
    /// Kernel, initrd and command line are hashed as QEMU does for the `kernel-hashes=on` table:
    /// SHA-256, the command line with its trailing NUL.
    func parts(hashing: some Hashing) -> [(label: String, value: [UInt8])] {
        var vcpuCount = ByteWriter()
        vcpuCount.littleEndian(vcpus)
        return [
            ("firmware", hashing.sha384(firmware).bytes),
            ("vcpus", vcpuCount.bytes),
            ("kernel", hashing.sha256(kernel).bytes),
            ("initrd", hashing.sha256(initrd).bytes),
            ("command line", hashing.sha256(Array(commandLine.utf8) + [0]).bytes),
        ]
    }

    /// The simulated launch digest, which takes the place of MEASUREMENT.
    ///
    /// A chain like SNP's: it starts at 48 zero bytes, and each part makes it
    /// `SHA-384(digest || v("bootgate simulated launch v1") || v(label) || v(value))`,
    /// with `v(x)` = length of x as u16 in network byte order, then x.
    func measurement(hashing: some Hashing) -> FixedBytes<48> {
        var digest = FixedBytes<48>()
        for part in parts(hashing: hashing) {
            var record = ByteWriter()
            record.fixed(digest)
            record.opaque(Array("bootgate simulated launch v1".utf8), lengthBytes: 2)
            record.opaque(Array(part.label.utf8), lengthBytes: 2)
            record.opaque(part.value, lengthBytes: 2)
            digest = hashing.sha384(record.bytes)
        }
        return digest
    }
}
