import Bytes
import Evidence
import Prediction

/// The files that `bootgate measure` reads.
enum MeasureTarget {
    /// The end of an OVMF image, the rest of which is zero.
    static func firmware(_ input: [UInt8]) {
        let missing = (4096 - input.count % 4096) % 4096
        let image = [UInt8](repeating: 0, count: missing) + input
        if let firmware = try? SNPFirmware(parsing: image) {
            let measurer = SNPMeasurer(firmware, hashing: WeakHashing())
            _ = try? measurer.digest(
                of: SNPLaunch(processorCount: 2, processor: ProcessorType(name: "EPYC")))
        }
        if let firmware = try? TDXFirmware(parsing: image) {
            _ = try? TDXPrediction(firmware, .interleaved, hashing: WeakHashing())
        }
    }

    /// PE images, and unified kernel images of them.
    static func image(_ input: [UInt8]) {
        guard let image = try? PEImage(parsing: input) else { return }
        _ = try? image.authenticode(.sha256, hashing: WeakHashing())
        for profile in 0...1 {
            guard let unified = try? UnifiedKernelImage(parsing: input, profile: profile) else {
                continue
            }
            _ = try? UKIPrediction(unified, bank: .sha256, hashing: WeakHashing())
        }
    }
}
