import Bytes
import Foundation
import OpenSSL
import Prediction
import TestSupport
import Testing

private struct UpstreamCase: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let vcpus: Int
    let vcpu_type: String?
    let ovmf_file: String
    let kernel: String?
    let append: String?
    let guest_features: String
    let ovmf_hash: String?
    let vmm_type: String
    let expected_measurement: String

    var testDescription: String { name }

    static let folder = TestFiles.vectors?.appendingPathComponent("snp/measure")
    static let all: [UpstreamCase] =
        folder.flatMap { try? Data(contentsOf: $0.appendingPathComponent("cases.json")) }
        .flatMap { try? JSONDecoder().decode([UpstreamCase].self, from: $0) } ?? []
}

@Test(
    "the digests that sev-snp-measure's own tests assert are predicted",
    .enabled(if: TestFiles.vectors != nil), arguments: UpstreamCase.all)
private func upstreamCase(_ upstream: UpstreamCase) throws {
    let hashing = OpenSSLHashing()
    let folder = try #require(UpstreamCase.folder)
    let firmware = try SNPFirmware(
        parsing: TestFiles.bytes(folder.appendingPathComponent(upstream.ovmf_file)))
    let measurer = SNPMeasurer(
        firmware, firmwareDigest: upstream.ovmf_hash.flatMap { FixedBytes(hex: $0) },
        hashing: hashing)
    var launch = SNPLaunch(
        processorCount: upstream.vcpus,
        processor: upstream.vcpu_type.flatMap(ProcessorType.init(name:)))
    launch.hypervisor = HypervisorType(rawValue: upstream.vmm_type) ?? .qemu
    launch.features = try #require(UInt64(upstream.guest_features))
    if upstream.kernel != nil {
        // Each kernel and each initial RAM disk of these cases is /dev/null.
        launch.kernel = KernelHashes(
            kernel: [], commandLine: upstream.append ?? "", hashing: hashing)
    }
    #expect(try measurer.digest(of: launch).hex == upstream.expected_measurement)
}

@Test("all upstream cases are there", .enabled(if: TestFiles.vectors != nil))
func upstreamCaseCount() {
    #expect(UpstreamCase.all.count == 11)
}
