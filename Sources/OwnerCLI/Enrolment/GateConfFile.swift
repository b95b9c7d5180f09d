import AdminAPI
import Bytes
import Linux
import Policy
import Protocol
import Settings

/// What goes into new `gate.conf` files unless the command line says otherwise: `enrollment.toml`,
/// which `bootgate init` writes beside `broker.toml`.
struct EnrolmentDefaults: Equatable {
    static let fileName = "enrollment.toml"
    static let usualPath = "/etc/bootgate/enrollment.toml"

    /// Where VMs find the brokers.
    var brokers: [BrokerAddress] = []
    /// Keys beside the broker's own.
    var sparePins: [FixedBytes<32>] = []

    init(brokers: [BrokerAddress] = [], sparePins: [FixedBytes<32>] = []) {
        self.brokers = brokers
        self.sparePins = sparePins
    }

    init(toml text: String) throws(SettingsError) {
        self = try TOMLDocument(parsing: text).read { reader throws(SettingsError) in
            var defaults = EnrolmentDefaults()
            for (index, text) in (try reader.optionalStrings("brokers") ?? []).enumerated() {
                guard let address = BrokerAddress(text) else {
                    throw reader.error(
                        "brokers[\(index)]", expected: "NAME:PORT", actual: text.debugDescription)
                }
                defaults.brokers.append(address)
            }
            for (index, text) in (try reader.optionalStrings("spare_pins") ?? []).enumerated() {
                guard text.hasPrefix("sha256:"),
                    let pin = FixedBytes<32>(hex: String(text.dropFirst(7)))
                else {
                    throw reader.error(
                        "spare_pins[\(index)]", expected: "sha256: and 64 hexadecimal digits",
                        actual: text.debugDescription)
                }
                defaults.sparePins.append(pin)
            }
            return defaults
        }
    }

    /// Reads `path`; no file at the usual place means no defaults.
    static func read(_ path: String?) throws(Failure) -> EnrolmentDefaults {
        let place = path ?? usualPath
        if path == nil, !File.exists(place) { return EnrolmentDefaults() }
        do {
            let bytes = try File.read(place, atMost: 64 << 10)
            return try EnrolmentDefaults(toml: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw Failure(.unusableInput, "\(place.shown): \("\(error)".shown)")
        }
    }

    var toml: String {
        let names = brokers.map { "\"\($0)\"" }.joined(separator: ", ")
        let pins = sparePins.map { "\"sha256:\($0.hex)\"" }.joined(separator: ", ")
        return """
            # What `bootgate vm enroll` writes into gate.conf unless its options say otherwise.

            # Where VMs find the broker: NAME:PORT, in order of preference.
            brokers = [\(names)]

            # Keys that VMs accept beside the broker's present one.
            spare_pins = [\(pins)]

            """
    }
}

extension GateConfig.Anchor {
    /// The anchor that a policy demands.
    init(_ anchor: ConfigAnchor) {
        switch anchor {
        case .hostData: self = .hostData
        case .mrconfigid: self = .mrconfigid
        case .measuredImage: self = .measuredImage
        }
    }
}
