import Bytes
import Evidence
import Linux
import OpenSSL
import Protocol

/// The enrolled VM that a fleet launches.
struct FleetVM {
    let config: GateConfig
    let configDigest: FixedBytes<32>
    let headerDigest: FixedBytes<32>
    let measurement: FixedBytes<48>
}

/// Simulated VMs in front of a real broker.
struct Fleet {
    /// How a launch ended.
    enum Decision: String, CaseIterable {
        case released, refused, held
    }

    /// Seconds for a whole launch.
    private static let limit: UInt64 = 30

    private let vm: FleetVM
    private let address: SocketAddress
    private let context: TLSClientContext
    private let hashing = OpenSSLHashing()

    init(vm: FleetVM) throws {
        self.vm = vm
        context = try TLSClientContext(pins: vm.config.pins, alpn: "bootgate/1")
        guard let broker = vm.config.brokers.first,
            let address = try SocketAddress.resolve(host: broker.host, port: broker.port).first
        else { throw FleetFault.noAddress(vm.config.brokers.first?.description ?? "") }
        self.address = address
    }

    /// One launch, with a REPORT_ID that never was before, up to the broker's decision.
    func launch(on processor: inout SimulatedProcessor) throws -> Decision {
        processor.relaunch(reportID: FixedBytes(Random.bytes(32)) ?? FixedBytes())
        let sealing = try HPKEPrivateKey(scalar: Random.secret(32))
        let connection = try FleetConnection(to: address, context: context, seconds: Self.limit)
        let hello = Hello(
            purpose: .launch, vm: vm.config.vm, keyName: vm.config.keyName,
            configDigest: vm.configDigest, headerDigest: vm.headerDigest, evidenceKinds: [.snp],
            hpkePublicKey: sealing.publicKey)
        var session = AttesterSession(
            hello: hello, exporter: try connection.exporter(), hashing: hashing)
        try connection.write(session.start())
        while true {
            for event in try session.receive(try connection.read()) {
                switch event {
                case .challenge:
                    guard let reportData = session.reportData() else { throw FleetFault.closed }
                    let answer = try processor.answer(reportData.bytes, vmpl: 0)
                    try connection.write(
                        session.send(
                            EvidenceMessage(
                                kind: .snp, attestationKeyName: [],
                                items: [
                                    EvidenceItem(.report, answer.report),
                                    EvidenceItem(.certificateTable, answer.certificates),
                                ])))
                case .released: return .released
                case .refused: return .refused
                case .held: return .held
                case .commit, .closed, .logWanted: throw FleetFault.closed
                }
            }
        }
    }
}

/// What came of a fleet's launches.
struct FleetTally {
    private var decisions: [Fleet.Decision: Int] = [:]
    private var nanoseconds: [UInt64] = []

    mutating func add(_ decision: Fleet.Decision, nanoseconds spent: UInt64) {
        decisions[decision, default: 0] += 1
        nanoseconds.append(spent)
    }

    /// One object: the number of each decision, and latencies in microseconds.
    var json: String {
        let sorted = nanoseconds.sorted()
        let counts = Fleet.Decision.allCases.map { ($0.rawValue, decisions[$0, default: 0]) }
        let latencies = [("p50_us", 50), ("p99_us", 99)].map { name, percent in
            (name, sorted.isEmpty ? 0 : Int(sorted[(sorted.count - 1) * percent / 100] / 1000))
        }
        return JSONText.object((counts + latencies).map { ($0.0, .number($0.1)) })
    }
}
