import Bytes

/// The digests that were computed from files, each taken by the event of a log that it belongs to.
struct KnownDigests {
    private let volume: (address: UInt64, size: UInt64, digest: [UInt8])?
    private var handOff: [UInt8]?
    private var acpi: [[UInt8]]
    private var images: [[UInt8]]
    private var loader: [[UInt8]] = []
    private var commandLine: [UInt8]?
    private var initrd: [UInt8]?
    /// Which of them were given, so that all that follow of the kind must be as well.
    private let given: (acpi: Bool, images: Bool, loader: Bool)

    init(
        _ firmware: TDXFirmware, _ boot: TDXBoot, _ hashing: any Hashing
    ) throws(PredictionError) {
        volume = firmware.configuration.map {
            ($0.section.address, $0.section.size, hashing.sha384($0.content).bytes)
        }
        handOff = boot.handOff.map { hashing.sha384($0).bytes }
        acpi = boot.acpi.map { hashing.sha384($0).bytes }
        if let bytes = boot.unifiedImage {
            let image = try UnifiedKernelImage(parsing: bytes)
            let prediction = try UKIPrediction(image, bank: .sha384, hashing: hashing)
            for index in [4, 9, 11] {
                if let fault = prediction.unknown[index] { throw fault }
            }
            let digests = prediction.registers.mapValues { $0.events.map(\.digest) }
            // The first two of PCR 4 are the firmware's own marks.
            images = Array((digests[4] ?? []).dropFirst(2))
            loader = digests[11] ?? []
            let kernel = prediction.registers[9]?.events ?? []
            commandLine = kernel.first { $0.what == "command line" }?.digest
            initrd = kernel.first { $0.what == "initrd" }?.digest
        } else {
            images = []
            for bytes in boot.images {
                images.append(
                    try parsing("image") { () throws(ParseError) in
                        try PEImage(parsing: bytes).authenticode(.sha384, hashing: hashing)
                    })
            }
            // edk2 tells the kernel where it finds the initrd that QEMU gives.
            let suffix = boot.initrd?.isEmpty == false ? " initrd=initrd" : ""
            commandLine = boot.commandLine.map {
                hashing.sha384(Self.utf16($0 + suffix)).bytes
            }
            initrd = boot.initrd.map { hashing.sha384($0).bytes }
        }
        given = (!acpi.isEmpty, !images.isEmpty, !loader.isEmpty)
    }

    /// The digest for an event; nil where none was given for events of its kind.
    mutating func take(
        _ name: TDXEventName, _ register: Int
    ) throws(PredictionError) -> [UInt8]? {
        switch name {
        case .handOff: return Self.pop(&handOff)
        case .volume(let address, let size):
            guard let volume, volume.address == address, volume.size == size else {
                throw TDXPrediction.missing(register, "a log of this very firmware")
            }
            return volume.digest
        case .acpi:
            guard given.acpi else { return nil }
            return try Self.next(&acpi, register, "as many ACPI files as the log has")
        case .image:
            guard given.images else { return nil }
            return try Self.next(&images, register, "as many images as the log has")
        case .loader:
            guard given.loader else { return nil }
            return try Self.next(&loader, register, "a log of this kind of image")
        case .commandLine: return Self.pop(&commandLine)
        case .initrd: return Self.pop(&initrd)
        case .other: return nil
        }
    }

    /// Whatever was given and has no event in the log cannot be predicted along it.
    func finish() throws(PredictionError) {
        let rest: [(Int, Bool, String)] = [
            (0, handOff != nil, "hand-off blocks"), (0, !acpi.isEmpty, "ACPI data"),
            (1, !images.isEmpty, "every image"), (2, !loader.isEmpty, "every section"),
            (2, commandLine != nil, "the command line"), (2, initrd != nil, "the initrd"),
        ]
        for (register, isLeft, what) in rest where isLeft {
            throw TDXPrediction.missing(register, "a log that has an event of \(what)")
        }
    }

    private static func next(
        _ digests: inout [[UInt8]], _ register: Int, _ input: String
    ) throws(PredictionError) -> [UInt8] {
        guard !digests.isEmpty else { throw TDXPrediction.missing(register, input) }
        return digests.removeFirst()
    }

    private static func pop(_ digest: inout [UInt8]?) -> [UInt8]? {
        defer { digest = nil }
        return digest
    }

    private static func utf16(_ text: String) -> [UInt8] {
        var writer = ByteWriter()
        for unit in Array(text.utf16) + [0] { writer.littleEndian(unit) }
        return writer.bytes
    }
}
