import Attester
import Bytes
import Protocol

/// A gate.conf that was found, and where.
struct ConfigCandidate: Equatable {
    enum Source: Equatable {
        /// QEMU's firmware configuration device.
        case firmware
        /// The initramfs itself, which the launch digest covers.
        case image
        /// A volume labelled BOOTGATE.
        case volume
        /// The EFI system partition.
        case systemPartition
        /// A file named on the command line.
        case file

        /// The word on the console.
        var word: String {
            switch self {
            case .firmware: "firmware"
            case .image: "image"
            case .volume: "volume BOOTGATE"
            case .systemPartition: "EFI system partition"
            case .file: "file"
            }
        }
    }

    let source: Source
    let bytes: [UInt8]
}

/// The one gate.conf that the hardware vouches for.
struct ChosenConfig: Equatable {
    let config: GateConfig
    /// The file as the hardware vouches for it.
    let bytes: [UInt8]
    let digest: FixedBytes<32>
    let source: ConfigCandidate.Source
}

/// Why no candidate was taken.
enum ConfigChoiceError: Error, Equatable {
    /// None is the one this VM was launched with.
    case noneVouchedFor(tried: [String])
    /// The one that the hardware vouches for does not parse.
    case malformed(source: String, GateConfigError)

    var description: String {
        switch self {
        case .noneVouchedFor(let tried):
            tried.isEmpty
                ? "no gate.conf found"
                : "no gate.conf is the one this VM was launched with (tried: "
                    + tried.joined(separator: ", ") + ")"
        case .malformed(let source, let error): "gate.conf (\(source)): \(error)"
        }
    }
}

extension ChosenConfig {
    /// Takes the first candidate whose digest its own anchor vouches for.
    ///
    /// A candidate travels by untrusted roads, so nothing of it is even parsed before its digest is
    /// known to be right; the exception is one inside the measured image, which is what was measured.
    init(
        from candidates: [ConfigCandidate], anchor: HardwareAnchor, hashing: any Hashing
    ) throws(ConfigChoiceError) {
        for candidate in candidates {
            let digest = hashing.sha256(candidate.bytes)
            let isAnchored = anchor.vouches(for: digest)
            guard isAnchored || candidate.source == .image else { continue }
            let config: GateConfig
            do {
                config = try GateConfig(parsing: candidate.bytes)
            } catch {
                throw .malformed(source: candidate.source.word, error)
            }
            switch config.anchor {
            case .hostData where isAnchored && anchor.kind == .hostData: break
            case .mrconfigid where isAnchored && anchor.kind == .mrconfigid: break
            case .measuredImage where candidate.source == .image: break
            default: continue
            }
            self.init(
                config: config, bytes: candidate.bytes, digest: digest, source: candidate.source)
            return
        }
        throw .noneVouchedFor(tried: candidates.map(\.source.word))
    }
}

extension HardwareAnchor {
    /// Whether the field that the hardware reports was filled with `digest`.
    func vouches(for digest: FixedBytes<32>) -> Bool {
        switch self {
        case .hostData(let value): value == digest
        case .mrConfigID(let value):
            value.bytes == digest.bytes + [UInt8](repeating: 0, count: 16)
        case .nothing: false
        }
    }

    /// The word for it in gate.conf.
    var kind: GateConfig.Anchor {
        switch self {
        case .hostData: .hostData
        case .mrConfigID: .mrconfigid
        case .nothing: .measuredImage
        }
    }
}
