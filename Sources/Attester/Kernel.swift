import Linux

/// The few operations that evidence is made of; a test puts its own kernel here.
protocol Kernel: Sendable {
    func exists(_ path: String) -> Bool
    func makeDirectory(_ path: String) throws(SystemError)
    func removeDirectory(_ path: String) throws(SystemError)
    /// Everything up to the end of the file, however short the single reads are.
    func read(_ path: String, atMost limit: Int) throws(SystemError) -> [UInt8]
    /// One write, committed by closing.
    func write(_ path: String, _ bytes: [UInt8]) throws(SystemError)
    func pause(milliseconds: UInt64)
    func randomName() -> String

    func snpReport(
        _ device: String, over reportData: [UInt8], privilege: UInt32
    ) throws(SystemError) -> [UInt8]
    func snpExtendedReport(
        _ device: String, over reportData: [UInt8], privilege: UInt32
    ) throws(SystemError) -> (response: [UInt8], certificates: [UInt8])
    func tdReport(_ device: String, over reportData: [UInt8]) throws(SystemError) -> [UInt8]

    /// One request and its answer, over a connection to the host or its metadata service.
    func exchange(
        _ request: [UInt8], with peer: Peer, atMost limit: Int, milliseconds: UInt64,
        isWhole: ([UInt8]) -> Bool
    ) throws(SystemError) -> [UInt8]
}

/// Whom a guest may have to ask for evidence beside its processor. Nothing they say is trusted.
enum Peer: Equatable, Sendable {
    /// A port of the host over vsock.
    case host(port: UInt32)
    /// The cloud's link-local metadata service.
    case metadataService

    /// VMADDR_CID_HOST.
    static let hostContext: UInt32 = 2
}

/// The running kernel.
struct RunningKernel: Kernel {
    func exists(_ path: String) -> Bool { File.exists(path) }

    func makeDirectory(_ path: String) throws(SystemError) {
        try File.makeDirectory(path)
    }

    func removeDirectory(_ path: String) throws(SystemError) {
        try File.removeDirectory(path)
    }

    func read(_ path: String, atMost limit: Int) throws(SystemError) -> [UInt8] {
        try File.read(path, atMost: limit)
    }

    func write(_ path: String, _ bytes: [UInt8]) throws(SystemError) {
        try File.writeAttribute(path, bytes)
    }

    func pause(milliseconds: UInt64) {
        Clock.sleep(milliseconds: milliseconds)
    }

    func randomName() -> String {
        Random.bytes(8).map { String($0, radix: 36) }.joined()
    }

    func snpReport(
        _ device: String, over reportData: [UInt8], privilege: UInt32
    ) throws(SystemError) -> [UInt8] {
        try SecureProcessor.snpReport(device, over: reportData, privilege: privilege)
    }

    func snpExtendedReport(
        _ device: String, over reportData: [UInt8], privilege: UInt32
    ) throws(SystemError) -> (response: [UInt8], certificates: [UInt8]) {
        try SecureProcessor.snpExtendedReport(device, over: reportData, privilege: privilege)
    }

    func tdReport(_ device: String, over reportData: [UInt8]) throws(SystemError) -> [UInt8] {
        try SecureProcessor.tdReport(device, over: reportData)
    }

    func exchange(
        _ request: [UInt8], with peer: Peer, atMost limit: Int, milliseconds: UInt64,
        isWhole: ([UInt8]) -> Bool
    ) throws(SystemError) -> [UInt8] {
        try Exchange.run(
            request, with: try address(of: peer), atMost: limit, milliseconds: milliseconds,
            isWhole: isWhole)
    }

    private func address(of peer: Peer) throws(SystemError) -> SocketAddress {
        switch peer {
        case .host(let port): return .vsock(context: Peer.hostContext, port: port)
        case .metadataService:
            let found = try? SocketAddress.resolve(host: "169.254.169.254", port: 80)
            guard let address = found?.first else {
                throw SystemError(call: "getaddrinfo", subject: "169.254.169.254", code: 0)
            }
            return address
        }
    }
}
