public import Bytes

/// Why no measurement can be predicted; nothing is guessed in its place.
public enum PredictionError: Error, Equatable, Sendable {
    /// A file breaks a rule of its format.
    case malformed(file: String, ParseError)
    /// The firmware file ends in no table of OVMF's GUIDed structures.
    case noFirmwareTable
    /// The firmware has no SEV metadata, so no SNP guest can be launched with it.
    case noSEVMetadata
    /// Kernel hashes were asked for, and the firmware has no table that would hold them.
    case noKernelHashes
    /// More than one processor, and the firmware does not say where the others start.
    case noResetAddress
    /// QEMU puts the processor's signature into the measured registers, so it has to be known.
    case noProcessorSignature
    /// The number of processors is not within `1...4096`.
    case processorCount(Int)
    /// The firmware has no TDX metadata, so no TD can be launched with it.
    case noTDXMetadata
    /// A register depends on something that only `input` can tell.
    case missing(register: String, input: String)
}

extension PredictionError: CustomStringConvertible {
    /// One line for an owner.
    public var description: String {
        switch self {
        case .malformed(let file, let error):
            "\(file): \(error)"
        case .noFirmwareTable:
            "the firmware has no table of GUIDed structures at its end, so it is no OVMF"
        case .noSEVMetadata:
            "the firmware has no SEV metadata, so no SNP guest can be launched with it"
        case .noKernelHashes:
            "the firmware has no table for kernel hashes, so its launch digest covers no kernel"
        case .noResetAddress:
            "the firmware has no SEV-ES reset block, so it starts one processor only"
        case .noProcessorSignature:
            "the processor's type is part of the launch digest under QEMU"
        case .processorCount(let count):
            "processors: expected 1 to 4096, got \(count)"
        case .noTDXMetadata:
            "the firmware has no TDX metadata, so no TD can be launched with it"
        case .missing(let register, let input):
            "\(register) cannot be known without \(input)"
        }
    }
}

/// Names the file in whatever `body` throws.
func parsing<T>(
    _ file: String, _ body: () throws(ParseError) -> T
) throws(PredictionError) -> T {
    do throws(ParseError) {
        return try body()
    } catch {
        throw .malformed(file: file, error)
    }
}
