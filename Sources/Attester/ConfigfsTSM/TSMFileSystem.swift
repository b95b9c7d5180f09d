import Linux

/// The few operations that the report interface is made of; a test puts its own kernel here.
protocol TSMFileSystem: Sendable {
    func makeDirectory(_ path: String) throws(SystemError)
    func removeDirectory(_ path: String) throws(SystemError)
    /// Everything up to the end of the file, however short the single reads are.
    func read(_ path: String, atMost limit: Int) throws(SystemError) -> [UInt8]
    /// One write, committed by closing.
    func write(_ path: String, _ bytes: [UInt8]) throws(SystemError)
    func pause(milliseconds: UInt64)
    func randomName() -> String
}

/// The running kernel's.
struct KernelTSM: TSMFileSystem {
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
}
