import Bytes
import Evidence

extension PolicyRules {
    /// Refuses rules that are contradictory, that could never hold, or that promise too much.
    func validate() throws(PolicyError) {
        try validateNames()
        try validateMeasurements()
        for product in SNPProduct.allCases {
            guard let minimum = minimumTCB[product] else { continue }
            try validate(minimum, of: product)
        }
        guard anchor != .mrconfigid else {
            throw PolicyError(
                path: "anchor", expected: "host-data or measured-image",
                actual: "mrconfigid, which belongs to TDX; this release appraises SNP")
        }
        guard vmpl <= 3 else {
            throw PolicyError(path: "vmpl", expected: "0 to 3", actual: "\(vmpl)")
        }
        guard !signingKeys.isEmpty, !signingKeys.contains(.none) else {
            throw PolicyError(
                path: "signing_key", expected: "vcek, vlek or both",
                actual: signingKeys.isEmpty ? "an empty list" : "none, which is no signature")
        }
        if let chip = allowedChips.intersection(deniedChips).min(by: { $0.hex < $1.hex }) {
            throw PolicyError(
                path: "chips", expected: "each chip in one list",
                actual: "\(chip.hex) in allow and in deny")
        }
    }

    static func list(_ coverage: Set<Coverage>) -> String {
        guard !coverage.isEmpty else { return "nothing" }
        return Coverage.allCases.filter(coverage.contains).map(\.rawValue).joined(separator: ", ")
    }

    private func validateNames() throws(PolicyError) {
        guard Self.isName(name) else {
            throw PolicyError(
                path: "name", expected: "1 to 64 of a-z 0-9 . - _, the first a letter or digit",
                actual: name.isEmpty ? "nothing" : String(name.prefix(80)).debugDescription)
        }
        guard description.utf8.count <= 1024 else {
            throw PolicyError(
                path: "description", expected: "at most 1024 bytes",
                actual: "\(description.utf8.count) bytes")
        }
    }

    /// Names go into file names, URLs and tables.
    private static func isName(_ name: String) -> Bool {
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789".utf8
        guard let first = name.utf8.first, letters.contains(first), name.utf8.count <= 64
        else { return false }
        return name.utf8.allSatisfy { letters.contains($0) || ".-_".utf8.contains($0) }
    }

    private func validateMeasurements() throws(PolicyError) {
        for (index, measurement) in measurements.enumerated() {
            let path = "measurement[\(index)]"
            guard (1...128).contains(measurement.label.utf8.count) else {
                throw PolicyError(
                    path: "\(path).label", expected: "1 to 128 bytes",
                    actual: "\(measurement.label.utf8.count) bytes")
            }
            // Labels are shown in findings, which are read in terminals.
            let scalars = measurement.label.unicodeScalars
            guard scalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
                throw PolicyError(
                    path: "\(path).label", expected: "no control characters",
                    actual: measurement.label.debugDescription)
            }
            let earlier = measurements[..<index]
            guard !earlier.contains(where: { $0.label == measurement.label }) else {
                throw PolicyError(
                    path: "\(path).label", expected: "a label of its own",
                    actual: "\(measurement.label.debugDescription) once more")
            }
            guard !earlier.contains(where: { $0.registers == measurement.registers }) else {
                throw PolicyError(
                    path: "\(path).sha384", expected: "a value of its own",
                    actual: "\(measurement.registers) once more")
            }
            try validateCoverage(of: measurement, path: "\(path).covers")
        }
    }

    /// Whatever the launch digest leaves out, the host may exchange, and it would still be given the
    /// key. Nothing else covers it in this release: there are no rules for PCRs or Secure Boot.
    private func validateCoverage(
        of measurement: ReferenceMeasurement, path: String
    ) throws(PolicyError) {
        let needed: Set<Coverage> = [.firmware, .kernel, .initramfs, .commandLine]
        let missing = needed.subtracting(measurement.covers)
        guard missing.isEmpty else {
            throw PolicyError(
                path: path, expected: "at least \(Self.list(needed))",
                actual: "no \(Self.list(missing)), which no other rule of this release covers")
        }
        guard anchor != .measuredImage || measurement.covers.contains(.config) else {
            throw PolicyError(
                path: path, expected: "config too, since anchor is measured-image",
                actual: Self.list(measurement.covers))
        }
    }

    private func validate(
        _ minimum: [TCBComponent: UInt8], of product: SNPProduct
    ) throws(PolicyError) {
        for component in TCBComponent.allCases {
            let path = "minimum_tcb.\(product.rawValue).\(component.rawValue)"
            switch (product.components.contains(component), minimum[component]) {
            case (true, nil):
                throw PolicyError(path: path, expected: "0 to 255", actual: "nothing")
            case (false, let value?):
                throw PolicyError(
                    path: path, expected: "nothing, \(product.rawValue) has no such part",
                    actual: "\(value)")
            default: break
            }
        }
    }
}
