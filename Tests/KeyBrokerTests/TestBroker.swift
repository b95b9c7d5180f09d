import AdminAPI
import Authenticators
import BrokerCore
import Bytes
import Endorsements
import Evidence
import Foundation
import Linux
import Logging
import NIOPosix
import NetIO
import OpenSSL
@_spi(Verified) import Policy
import Protocol
import ServiceLifecycle
import Settings
import Store
import Synchronization
import TestSupport
import Testing

@testable import KeyBroker

func fixed<let count: Int>(_ byte: UInt8) -> FixedBytes<count> {
    var value = FixedBytes<count>()
    for index in 0..<count { value[index] = byte }
    return value
}

func secret(_ byte: UInt8, count: Int = 32) -> SecretBytes {
    let bytes = [UInt8](repeating: byte, count: count)
    return unsafe SecretBytes(copying: bytes.span.bytes)
}

/// Believes every report over the right binding: these tests are not about signatures.
struct TrustingAuthenticator: EvidenceAuthenticator {
    var kinds: Set<EvidenceKind> { [.snp] }

    func authenticate(
        _ evidence: EvidenceMessage, binding: FixedBytes<64>, at time: Int64
    ) throws(ParseError) -> Authentication {
        let report = try SNPReport(parsing: evidence.data(.report) ?? [])
        let isBound = report.reportData == binding
        return Authentication(
            findings: [
                Finding(
                    check: "binding", outcome: isBound ? .ok : .refused, expected: binding.hex,
                    actual: report.reportData.hex)
            ],
            claims: isBound
                ? Claims(hardware: .snp(SNPClaims(authenticated: report, product: .genoa))) : nil,
            platform: "SNP Genoa", reportID: report.reportID, chipID: report.chipID,
            measurement: report.measurement)
    }
}

/// A broker on a port and a database of its own, with the policy `web`.
final class TestBroker: Sendable {
    let directory: String
    let store: SQLiteStore
    let authority: LaunchAuthority
    let service: AdminService
    let limits: ConnectionLimits
    let port: UInt16
    let pin: FixedBytes<32>
    private let group: ServiceGroup
    private let serving: Task<Void, any Error>

    static let toml = """
        name = "web"
        [[measurement]]
        label = "image"
        sha384 = "\(String(repeating: "a1", count: 48))"
        covers = ["firmware", "kernel", "initramfs", "command line"]
        [minimum_tcb.Genoa]
        bootloader = 0
        tee = 0
        snp = 0
        microcode = 0
        """

    init(
        authenticator: any EvidenceAuthenticator = TrustingAuthenticator(),
        desk: EndorsementDesk? = nil, directory: String? = nil, toml: String = toml,
        reportTime: Int64? = nil,
        _ change: (inout BrokerSettings) -> Void = { _ in }
    ) async throws {
        let directory =
            directory ?? NSTemporaryDirectory() + "bootgate-broker-\(UUID().uuidString)"
        self.directory = directory
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        var settings = try BrokerSettings(
            toml: """
                state = "\(directory)"
                [launch]
                listen = ["127.0.0.1:0"]
                certificate = "none"
                key = "none"
                """, directory: directory)
        change(&settings)
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        store = try SQLiteStore(path: directory + "/broker.sqlite3")
        authority = LaunchAuthority(
            store: store, envelope: KeyEnvelope(wrappingKey: secret(0x77)),
            authenticator: authenticator, desk: desk,
            readPolicy: { try? AppraisalPolicy(toml: $0) }, log: log)
        let snapshots = SnapshotFiles(directory + "/snapshots")
        let reports = RuntimeAuthority(
            store: store, authenticator: authenticator, desk: desk,
            readPolicy: { try? AppraisalPolicy(toml: $0) }, snapshots: snapshots,
            statistics: authority.statistics, log: log,
            clock: { reportTime ?? Clock.realtime })
        limits = ConnectionLimits(
            maximum: settings.maximumConnections, perSecond: settings.connectionsPerSecond,
            burst: settings.connectionBurst)
        let (context, pin) = try Self.identity()
        self.pin = pin
        let service = AdminService(
            store: store, authority: authority,
            snapshots: snapshots, pins: [pin.hex])
        self.service = service
        let (addresses, continuation) = AsyncStream.makeStream(of: [String].self)
        let server = LaunchServer(
            settings: settings, tls: context, authority: authority, reports: reports,
            limits: limits,
            group: MultiThreadedEventLoopGroup.singleton, log: log,
            ready: {
                service.listens(on: $0)
                continuation.yield($0)
            })
        let group = ServiceGroup(configuration: .init(services: [server], logger: log))
        self.group = group
        serving = Task { try await group.run() }
        var listening: [String] = []
        for await some in addresses {
            listening = some
            break
        }
        port = listening.first.flatMap { UInt16($0.split(separator: ":").last ?? "") } ?? 0
        _ = try await service.save(.init(toml: toml), as: "web")
    }

    private static let uuid = "0e2f8b1e-7c59-4a7b-9b06-7c1fb05f3a8e"

    /// Enrols a VM; SHA-256 of its `gate.conf`.
    @discardableResult
    func enrol(_ vm: String = "web-1") async throws -> FixedBytes<32> {
        let gateConf = """
            vm = \(vm)
            broker = 127.0.0.1:7411
            pin = sha256:\(String(repeating: "ab", count: 32))
            device = UUID=\(Self.uuid)
            anchor = host-data

            """
        let config = OpenSSLHashing().sha256(Array(gateConf.utf8))
        let volumeKeyCheck: FixedBytes<32> = fixed(0x3c)
        let header: FixedBytes<32> = fixed(0x4d)
        _ = try await service.enrol(
            vm,
            Enrolment(
                terms: EnrolmentTerms(
                    policy: "web", configDigest: config.hex, gateConf: gateConf,
                    luksUUID: Self.uuid, keyName: "disk", keyslot: 1, headerDigest: header.hex,
                    volumeKeyCheck: Base64.encode(volumeKeyCheck.bytes)),
                key: secret(0x5e), proofKey: secret(0x9f)))
        return config
    }

    /// As SIGTERM does.
    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await serving.value
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func identity() throws -> (TLSServerContext, FixedBytes<32>) {
        let key = try SigningKey.generate(.p256)
        let name = CertificateTemplate.Name(commonName: "broker.example")
        let template = CertificateTemplate(
            subject: name, issuer: name, serial: [1], notBefore: 0, notAfter: 4_000_000_000,
            signature: .ecdsaSHA256)
        let certificate = try X509Certificate(
            der: CertificateIssuer.issue(template, subjectKey: key, issuerKey: key))
        let context = try TLSServerContext(
            certificatePEM: certificate.pem, privateKeyPEM: key.pem(), alpn: "bootgate/1")
        return (context, certificate.subjectPublicKeyInfoDigest)
    }
}

/// A VM's side, on a blocking connection.
final class TestVM {
    let key: HPKEPrivateKey
    private let socket: Socket
    private let engine: TLSEngine

    init(_ broker: TestBroker) throws {
        key = try HPKEPrivateKey(scalar: Random.secret(32))
        let address = try #require(
            SocketAddress.resolve(host: "127.0.0.1", port: broker.port).first)
        socket = try Socket(connectingTo: address)
        _ = Poll.wait([.init(socket.descriptor, read: false, write: true)], milliseconds: 60_000)
        try socket.checkConnected()
        engine = try TLSEngine(
            client: TLSClientContext(pins: [broker.pin], alpn: "bootgate/1"), serverName: nil)
    }

    func hello(
        _ vm: String = "web-1", config: FixedBytes<32>, kinds: Set<EvidenceKind> = [.snp]
    ) throws -> Hello {
        Hello(
            purpose: .launch, vm: try #require(VMIdentifier(vm)), keyName: .disk,
            configDigest: config, headerDigest: fixed(0x4d), evidenceKinds: kinds,
            hpkePublicKey: key.publicKey)
    }

    func handshake() throws -> FixedBytes<32> {
        while try !engine.handshake() {
            try flush()
            let bytes = try arrived()
            guard !bytes.isEmpty else { throw SystemError.closed }
            try engine.receive(bytes)
        }
        try flush()
        return try engine.channelBinding()
    }

    func send(_ bytes: [UInt8]) throws {
        try engine.write(bytes)
        try flush()
    }

    /// What arrives next; empty when the broker closed.
    func receive() throws -> [UInt8] {
        while true {
            let plaintext = try engine.read()
            if !plaintext.isEmpty || engine.peerHasClosed { return plaintext }
            let bytes = try arrived()
            if bytes.isEmpty { return [] }
            try engine.receive(bytes)
        }
    }

    private func flush() throws {
        let bytes = engine.takeOutput()
        var sent = 0
        while sent < bytes.count { sent += try socket.send(bytes[sent...]) }
    }

    private func arrived() throws -> [UInt8] {
        while true {
            let ready = Poll.wait(
                [.init(socket.descriptor, read: true, write: false)], milliseconds: 60_000)
            guard ready.first?.read == true else { throw SystemError.timedOut }
            switch try socket.receive() {
            case .bytes(let bytes): return bytes
            case .end: return []
            case .nothing: continue
            }
        }
    }
}

extension SystemError {
    static var timedOut: SystemError { SystemError(call: "poll", subject: "broker", code: 110) }
    static var closed: SystemError { SystemError(call: "recv", subject: "broker", code: 104) }
}
