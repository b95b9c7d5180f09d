import Bytes
import Evidence

/// Security versions of a simulated platform's firmware, and their encoding for its product.
struct SimulatedTCB: Equatable {
    let product: SNPProduct
    /// A value for each component that the product has.
    private(set) var values: [TCBComponent: UInt8]

    /// Component and byte of TCB_VERSION (AMD publication 56860, table TCB_VERSION).
    private static func layout(of product: SNPProduct) -> [(component: TCBComponent, byte: Int)] {
        switch product {
        case .milan, .genoa: [(.bootloader, 0), (.tee, 1), (.snp, 6), (.microcode, 7)]
        case .turin: [(.fmc, 0), (.bootloader, 1), (.tee, 2), (.snp, 3), (.microcode, 7)]
        }
    }

    /// Versions as current firmware of the product reports them.
    init(product: SNPProduct) {
        self.product = product
        values =
            switch product {
            case .milan: [.bootloader: 4, .tee: 0, .snp: 24, .microcode: 219]
            case .genoa: [.bootloader: 10, .tee: 0, .snp: 23, .microcode: 84]
            case .turin: [.fmc: 1, .bootloader: 1, .tee: 1, .snp: 4, .microcode: 81]
            }
    }

    /// The product's versions, changed by a list such as `bootloader=1,snp=8`.
    init(product: SNPProduct, changes: String) throws(PSPFault) {
        self.init(product: product)
        for change in changes.split(separator: ",") {
            let sides = change.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, let value = UInt8(sides[1]) else {
                throw .unusable("TCB: `\(change)` is not COMPONENT=VALUE with a value of 0 to 255")
            }
            guard let component = TCBComponent(rawValue: sides[0]), values[component] != nil else {
                let known = product.components.map(\.rawValue).joined(separator: ", ")
                throw .unusable("TCB: \(product.rawValue) has no `\(sides[0])`, only \(known)")
            }
            values[component] = value
        }
    }

    /// Every component at zero.
    var lowest: SimulatedTCB {
        var copy = self
        copy.values = values.mapValues { _ in 0 }
        return copy
    }

    /// The same firmware with another microcode, as TCB_VERSION.
    var other: FixedBytes<8> {
        var copy = self
        copy.values[.microcode] = values[.microcode, default: 0] ^ 1
        return copy.raw
    }

    /// TCB_VERSION, as it stands in a report.
    var raw: FixedBytes<8> {
        var raw = FixedBytes<8>()
        for (component, byte) in Self.layout(of: product) {
            raw[byte] = values[component, default: 0]
        }
        return raw
    }
}
