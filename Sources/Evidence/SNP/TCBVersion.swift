public import Bytes

/// The security versions of a platform's firmware; compared part by part, never as one number.
///
/// Layout: AMD publication 56860, table TCB_VERSION, which differs from Turin on.
public struct TCBVersion: Sendable, Hashable {
    /// The eight bytes in the order of the report.
    public let raw: FixedBytes<8>
    /// The processor line whose layout gives the bytes their names.
    public let product: SNPProduct

    /// Reads `raw` in the layout of `product`.
    public init(raw: FixedBytes<8>, product: SNPProduct) {
        self.raw = raw
        self.product = product
    }

    /// Each part that the line has, in the order of the bytes.
    public var components: [(component: TCBComponent, value: UInt8)] {
        product.layout.map { ($0.component, raw[$0.index]) }
    }

    /// Whether each part that the line has is at most that of `other`.
    public func isAtMost(_ other: TCBVersion) -> Bool {
        product.layout.allSatisfy { raw[$0.index] <= other.raw[$0.index] }
    }

    /// The version of one part; nil where the line has no such part.
    public subscript(component: TCBComponent) -> UInt8? {
        product.layout.first { $0.component == component }.map { raw[$0.index] }
    }
}

extension TCBVersion: CustomStringConvertible {
    /// For example `bootloader 10, tee 0, snp 23, microcode 84`.
    public var description: String {
        components.map { "\($0.component.rawValue) \($0.value)" }.joined(separator: ", ")
    }
}
