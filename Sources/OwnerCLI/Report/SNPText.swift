import Policy
import Prediction

/// An SNP launch in words.
enum SNPText {
    /// What the launch digest covers.
    static func coverage(_ launch: SNPLaunch) -> [Coverage] {
        launch.kernel == nil ? [.firmware] : [.firmware, .kernel, .initramfs, .commandLine]
    }

    /// `4 processors, type EPYC-Milan, guest features 0x1, kernel hashes on, under qemu`
    static func launch(_ launch: SNPLaunch) -> String {
        parts(launch).map(\.text).joined(separator: ", ")
    }

    /// What `launch` has in another way than `known`: `8 processors instead of 4, ...`
    static func difference(_ launch: SNPLaunch, from known: SNPLaunch) -> String {
        zip(parts(launch), parts(known)).filter { $0.value != $1.value }
            .map { "\($0.text) instead of \($1.value)" }.joined(separator: ", ")
    }

    /// What an owner should know before relying on the digest.
    static func notes(_ launch: SNPLaunch, _ firmware: SNPFirmware) -> [String] {
        guard launch.kernel == nil else {
            return ["it holds with QEMU's `kernel-hashes=on` only"]
        }
        return [
            firmware.coversKernel
                ? "no kernel was given, so the digest is that of a launch without `kernel-hashes=on`, "
                    + "and the host may boot any kernel"
                : "this firmware has no table for kernel hashes, so its launch digest covers no "
                    + "kernel, and the host may boot any"
        ]
    }

    private static func parts(_ launch: SNPLaunch) -> [(text: String, value: String)] {
        let count = "\(launch.processorCount)"
        let type =
            launch.processor.map { $0.name ?? "0x" + String($0.signature, radix: 16) } ?? "any"
        let features = "0x" + String(launch.features, radix: 16)
        let hashes = launch.kernel == nil ? "off" : "on"
        let hypervisor = launch.hypervisor.rawValue
        return [
            (count == "1" ? "1 processor" : "\(count) processors", count), ("type \(type)", type),
            ("guest features \(features)", features), ("kernel hashes \(hashes)", hashes),
            ("under \(hypervisor)", hypervisor),
        ]
    }
}
