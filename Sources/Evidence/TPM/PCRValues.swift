public import Bytes

/// Values of PCRs as somebody claims them; only a quote's digest says whether they are so.
public struct PCRValues: Sendable, Equatable {
    /// Digests by register, 0 to 31, each of the bank's length.
    public private(set) var banks: [HashAlgorithm: [UInt8: [UInt8]]] = [:]

    /// No values.
    public init() {}

    /// The value of a register; nil where none is known.
    public subscript(algorithm: HashAlgorithm, index: UInt8) -> [UInt8]? {
        banks[algorithm]?[index]
    }

    /// Sets the value of a register.
    ///
    /// - Throws: for a register above 31, one that is there already, or a digest of another length.
    public mutating func insert(
        _ digest: [UInt8], at index: UInt8, in algorithm: HashAlgorithm
    ) throws(ParseError) {
        guard index <= 31 else { throw .outOfRange(field: "PCR", value: UInt64(index)) }
        guard digest.count == algorithm.size else {
            throw .lengthOutOfBounds(
                field: "PCR \(index) of \(algorithm.rawValue)", length: digest.count,
                minimum: algorithm.size, maximum: algorithm.size)
        }
        guard self[algorithm, index] == nil else {
            throw .invalid(
                field: "PCR \(index) of \(algorithm.rawValue)", rule: "must be there once")
        }
        banks[algorithm, default: [:]][index] = digest
    }

    /// What a quote hashes: the selected values, one behind the other; nil where one is missing.
    public func concatenated(_ selection: PCRSelection) -> [UInt8]? {
        var all: [UInt8] = []
        for bank in selection.banks {
            for index in bank.indices {
                guard let digest = self[bank.algorithm, index] else { return nil }
                all += digest
            }
        }
        return all
    }

    /// The registers of `selection` alone: those that a quote over it can vouch for.
    public func restricted(to selection: PCRSelection) -> PCRValues {
        var kept = PCRValues()
        for bank in selection.banks {
            kept.banks[bank.algorithm] = banks[bank.algorithm]?.filter { index, _ in
                bank.indices.contains(index)
            }
        }
        return kept
    }

    /// Which registers there are values of; nil if there are none.
    public var selection: PCRSelection? {
        PCRSelection(banks.mapValues { Set($0.keys) })
    }
}
