import AdminAPI
import Bytes
import OpenSSL
import Policy
import Prediction
import Settings

/// Finds out how a refused launch differs from the one that its owner meant.
struct LaunchVariants {
    /// The firmware's path.
    let firmware: String
    let kernel: KernelOptions

    /// What was found.
    struct Explanation: Encodable {
        /// The launch whose digest came; nil if no variant has it.
        let launch: String?
        /// The label of the policy's measurement that is another variant of the same files.
        let label: String?
        /// How the launch that came differs from that one.
        let difference: String?
        /// For a person.
        let sentence: String
    }

    /// Tries the variants if `launch` was refused for its SNP launch digest; nil if it was not.
    func explanation(
        _ launch: LaunchRecord, _ client: AdminClient
    ) throws(Failure) -> Explanation? {
        guard launch.decision == .refused, launch.refusedChecks.contains("measurement"),
            let came = launch.measurement.flatMap({ FixedBytes<48>(hex: $0) })
        else { return nil }
        if let platform = launch.platform, !platform.hasPrefix("SNP") {
            return Explanation(
                launch: nil, label: nil, difference: nil,
                sentence: "variants are tried for SNP launches only; "
                    + "`bootgate measure` predicts the others")
        }
        let known = references(launch, client)
        let found = try launches(
            behind: Set(known.compactMap { $0.registers.launchDigest }).union([came]))
        return Self.explanation(of: came, known: known, found: found)
    }

    static func explanation(
        of came: FixedBytes<48>, known: [ReferenceMeasurement],
        found: [FixedBytes<48>: SNPLaunch]
    ) -> Explanation {
        var match: (label: String, launch: SNPLaunch)?
        for one in known where match == nil {
            if let digest = one.registers.launchDigest, let launch = found[digest] {
                match = (one.label, launch)
            }
        }
        guard let launch = found[came] else {
            let fits = match?.label
            let files =
                fits.map { "these files are those of \"\($0)\", and the VM booted others" }
                ?? "the VM booted other files than these"
            return Explanation(
                launch: nil, label: fits, difference: nil,
                sentence: "no usual variant of these files has the value; \(files)")
        }
        let text = SNPText.launch(launch)
        guard let match else {
            return Explanation(
                launch: text, label: nil, difference: nil,
                sentence: "the value is that of these files with \(text)")
        }
        let difference = SNPText.difference(launch, from: match.launch)
        return Explanation(
            launch: text, label: match.label, difference: difference,
            sentence: "the value fits \"\(match.label)\" with \(difference)")
    }

    /// The measurements of the policy as it is now; none where it cannot be had.
    private func references(
        _ launch: LaunchRecord, _ client: AdminClient
    ) -> [ReferenceMeasurement] {
        guard let name = launch.policy, let record = try? client.policy(name),
            let text = record.toml, let policy = try? AppraisalPolicy(toml: text)
        else { return [] }
        return policy.rules.measurements
    }

    private func launches(
        behind digests: Set<FixedBytes<48>>
    ) throws(Failure) -> [FixedBytes<48>: SNPLaunch] {
        let hashing = OpenSSLHashing()
        let image = try MeasuredFile.read(firmware, atMost: MeasuredFile.firmwareLimit)
        let hashes = try kernel.hashes(hashing)
        return try MeasuredFile.predicting(firmware: firmware) { () throws(PredictionError) in
            let measurer = SNPMeasurer(try SNPFirmware(parsing: image), hashing: hashing)
            return try SNPVariants(measurer, kernel: hashes).launches(behind: digests)
        }
    }
}
