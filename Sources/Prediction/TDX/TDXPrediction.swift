public import Bytes
public import Evidence

/// MRTD and RTMR0 to RTMR2 of a TD.
///
/// MRTD comes from the firmware alone. The order of the other registers' events is the firmware's and
/// the host's own, so they are predicted along the log of one boot: each event whose content is given is
/// computed anew, every other one is taken as it stands there.
public struct TDXPrediction: Sendable {
    /// MRTD.
    public let measurement: FixedBytes<48>
    /// RTMR0 to RTMR2, by number; empty without a log.
    public private(set) var registers: [Int: PredictedRegister] = [:]
    /// Why registers cannot be known.
    public private(set) var unknown: [Int: PredictionError] = [:]
    /// What was taken from the log as it stood there, in order.
    public private(set) var fromLog: [String] = []

    /// Predicts what can be known.
    public init(
        _ firmware: TDXFirmware, _ order: TDXFirmware.PageOrder, boot: TDXBoot = TDXBoot(),
        log: EventLog? = nil, hashing: any Hashing
    ) throws(PredictionError) {
        measurement = firmware.measurement(order, hashing: hashing)
        guard let log else {
            guard boot.isEmpty else { throw Self.missing(1, Self.needsLog) }
            for index in 0..<3 { unknown[index] = Self.missing(index, Self.needsLog) }
            return
        }
        var known = try KnownDigests(firmware, boot, hashing)
        for index in 0..<3 { registers[index] = PredictedRegister(.sha384) }
        for event in log.events where event.extends && (1...3).contains(event.register) {
            let index = event.register - 1
            guard let logged = event.digest(.sha384) else {
                throw Self.missing(index, "SHA-384 digests in the log")
            }
            let name = TDXEventName(event)
            if let digest = try known.take(name, index) {
                registers[index]?.extend(name.text, digest, hashing: hashing)
            } else {
                fromLog.append("RTMR\(index): \(name.text)")
                registers[index]?.extend("\(name.text), of the log", logged, hashing: hashing)
            }
        }
        try known.finish()
    }

    static let needsLog =
        "an event log of one boot with this firmware and host: the order of the marks is their own, and "
        + "ACPI tables and hand-off blocks are the host's"

    static func missing(_ index: Int, _ input: String) -> PredictionError {
        .missing(register: "RTMR\(index)", input: input)
    }
}
