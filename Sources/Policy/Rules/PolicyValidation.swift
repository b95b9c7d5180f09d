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
        try validateTPM()
        try runtime?.validate()
        guard boot.covers.isEmpty || boot.namesImages else {
            throw PolicyError(
                path: "boot.covers", expected: "nothing without boot.authorities or boot.images",
                actual: Self.list(boot.covers))
        }
        guard boot.covers.isEmpty || !boot.allowsUnexplained else {
            throw PolicyError(
                path: "boot.covers",
                expected:
                    "nothing with boot.allow_unexplained: what is unexplained may be anything",
                actual: Self.list(boot.covers))
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
            let earlier = measurements[..<index]
            try validateLabel(measurement.label, among: earlier.map(\.label), path: path)
            guard !earlier.contains(where: { $0.registers == measurement.registers }) else {
                throw PolicyError(
                    path: path, expected: "values of its own",
                    actual: "\(measurement.registers) once more")
            }
            try validateCoverage(of: measurement, path: path)
        }
    }

    /// Labels are shown in findings, which are read in terminals.
    private func validateLabel(
        _ label: String, among others: [String], path: String
    ) throws(PolicyError) {
        guard (1...128).contains(label.utf8.count) else {
            throw PolicyError(
                path: "\(path).label", expected: "1 to 128 bytes",
                actual: "\(label.utf8.count) bytes")
        }
        guard label.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw PolicyError(
                path: "\(path).label", expected: "no control characters",
                actual: label.debugDescription)
        }
        guard !others.contains(label) else {
            throw PolicyError(
                path: "\(path).label", expected: "a label of its own",
                actual: "\(label.debugDescription) once more")
        }
    }

    /// Whatever the hardware's measurement leaves out, the host may exchange, and it would still be given
    /// the key, unless registers of a TPM are asked for that cover it.
    private func validateCoverage(
        of measurement: ReferenceMeasurement, path: String
    ) throws(PolicyError) {
        let missing = Coverage.boot.subtracting(measurement.covers)
        let others = coveredBeside
        guard missing.isSubset(of: others) else {
            throw PolicyError(
                path: "\(path).covers", expected: "at least \(Self.list(Coverage.boot))",
                actual:
                    "no \(Self.list(missing.subtracting(others))), which neither [[tpm.pcrs]] nor [boot] covers"
            )
        }
        if case .td(_, let rtmr) = measurement.registers {
            let later: Set<Coverage> = [.kernel, .initramfs, .commandLine]
            guard later.isDisjoint(with: measurement.covers) || rtmr[1] != nil && rtmr[2] != nil
            else {
                throw PolicyError(
                    path: "\(path).covers",
                    expected: "rtmr1 and rtmr2 beside mrtd, which covers the firmware only",
                    actual: Self.list(measurement.covers))
            }
        }
        guard anchor != .measuredImage || measurement.covers.union(others).contains(.config) else {
            throw PolicyError(
                path: "\(path).covers", expected: "config too, since anchor is measured-image",
                actual: Self.list(measurement.covers))
        }
    }

    /// What is covered by rules beside the hardware's measurement: by registers of a TPM, of which any
    /// listed set may be the one that matches, and by the log.
    var coveredBeside: Set<Coverage> {
        let pcrs = tpm.references.dropFirst().reduce(tpm.references.first?.covers ?? []) {
            $0.intersection($1.covers)
        }
        return pcrs.union(boot.covers)
    }

    private func validateTPM() throws(PolicyError) {
        guard !tpm.keyTrusts.isEmpty else {
            throw PolicyError(
                path: "tpm.key_trust", expected: "at least one way to trust a key",
                actual: "an empty list")
        }
        for (index, reference) in tpm.references.enumerated() {
            let path = "tpm.pcrs[\(index)]"
            try validateLabel(
                reference.label, among: tpm.references[..<index].map(\.label), path: path)
            guard reference.bank != .sha1 || tpm.allowsSHA1 else {
                throw PolicyError(
                    path: "\(path).bank", expected: "sha256, sha384 or sha512", actual: "sha1")
            }
            guard !reference.values.isEmpty else {
                throw PolicyError(
                    path: "\(path).values", expected: "at least one register", actual: "none")
            }
            for (register, value) in reference.values {
                guard register <= 23, value.count == reference.bank.size else {
                    throw PolicyError(
                        path: "\(path).values.\(register)",
                        expected: "a register of 0 to 23 with \(reference.bank.size) bytes",
                        actual: "\(value.count) bytes")
                }
            }
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
