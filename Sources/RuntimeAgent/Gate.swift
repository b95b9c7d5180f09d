import NetIO
import Synchronization

/// Lets in a bounded number at once, and of one address no more than its share.
final class Gate: Sendable {
    /// A place; free again when nobody holds it any more.
    final class Place: Sendable {
        private let gate: Gate
        private let address: String

        fileprivate init(_ gate: Gate, _ address: String) {
            self.gate = gate
            self.address = address
        }

        deinit { gate.leave(address) }
    }

    private struct State {
        var total = 0
        var byAddress: [String: Int] = [:]
    }

    private let total: Int
    private let perAddress: Int
    private let state = Mutex(State())

    init(total: Int, perAddress: Int) {
        self.total = total
        self.perAddress = perAddress
    }

    /// How many are inside.
    var count: Int { state.withLock { $0.total } }

    /// A place for a request from `address`, or from its /64.
    func enter(from address: String) throws(Refusal) -> Place {
        let address = AddressRates.group(address)
        let isFree = state.withLock { state in
            let mine = state.byAddress[address, default: 0]
            guard state.total < total, mine < perAddress else { return false }
            state.total += 1
            state.byAddress[address] = mine + 1
            return true
        }
        guard isFree else {
            throw .busy(
                "\(total) requests of this kind, or \(perAddress) of yours, are being answered")
        }
        return Place(self, address)
    }

    private func leave(_ address: String) {
        state.withLock { state in
            state.total -= 1
            let mine = state.byAddress[address, default: 1] - 1
            state.byAddress[address] = mine > 0 ? mine : nil
        }
    }
}
