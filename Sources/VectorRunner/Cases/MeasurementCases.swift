import Bytes
import OpenSSL
import Prediction

/// Launch digests that are predicted from a firmware's tail and compared with a list.
struct MeasurementCases {
    let files: CaseFiles

    private static let limits = JSONReader.Limits(byteCount: 1 << 20)

    func verdict() throws(VectorFault) -> Verdict {
        let text = try files.required("expected-launch-measurements")
        let list: JSONValue
        do throws(JSONError) {
            list = try JSONReader.parse(text, limits: Self.limits)
        } catch {
            throw VectorFault("expected-launch-measurements: \(error)")
        }
        for one in list.array ?? [] {
            let name = one["name"]?.string ?? "?"
            guard let wanted = one["expected_measurement"]?.string else {
                throw VectorFault("\(name): no expected_measurement")
            }
            let digest = try digest(one, name)
            guard digest.hex == wanted else {
                return .reject(
                    reason: "measurement-mismatch",
                    detail: "\(name): expected \(wanted), got \(digest.hex)")
            }
        }
        return .accept
    }

    private func digest(
        _ one: JSONValue, _ name: String
    ) throws(VectorFault) -> FixedBytes<48> {
        guard let count = one["vcpus"]?.integer, let file = one["ovmf_file"]?.string,
            let features = one["guest_features"]?.string.flatMap({ UInt64($0) })
        else { throw VectorFault("\(name): expected vcpus, ovmf_file and guest_features") }
        let hashing = OpenSSLHashing()
        let bytes = try files.named(file)
        var launch = SNPLaunch(
            processorCount: count,
            processor: one["vcpu_type"]?.string.flatMap(ProcessorType.init(name:)))
        let vmm = one["vmm_type"]?.string?.split(separator: " ").first.map(String.init)
        launch.hypervisor = vmm.flatMap(HypervisorType.init(rawValue:)) ?? .qemu
        launch.features = features
        if let kernel = one["kernel"]?.string {
            launch.kernel = KernelHashes(
                kernel: try content(kernel), initrd: try content(one["initrd"]?.string),
                commandLine: one["append"]?.string ?? "", hashing: hashing)
        }
        do throws(PredictionError) {
            let measurer = SNPMeasurer(
                try SNPFirmware(parsing: bytes),
                firmwareDigest: one["ovmf_hash"]?.string.flatMap { FixedBytes(hex: $0) },
                hashing: hashing)
            return try measurer.digest(of: launch)
        } catch {
            throw VectorFault("\(name): \(error)")
        }
    }

    /// A file of the entry; `/dev/null` is the empty one.
    private func content(_ name: String?) throws(VectorFault) -> [UInt8] {
        guard let name, name != "/dev/null" else { return [] }
        return try files.named(name)
    }
}
