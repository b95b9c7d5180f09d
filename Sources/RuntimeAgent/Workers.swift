import NIOPosix

/// The threads on which everything happens that blocks: files, the TPM, the secure processor.
struct Workers: Sendable {
    private let files: NIOThreadPool
    private let hardware: NIOThreadPool
    private let services: NIOThreadPool
    private let packages: NIOThreadPool

    init() {
        files = NIOThreadPool(numberOfThreads: 4)
        // The hardware answers one at a time anyway; one that hangs must not hold up the files.
        hardware = NIOThreadPool(numberOfThreads: 1)
        // A service manager may take minutes.
        services = NIOThreadPool(numberOfThreads: 1)
        // Nor may a package manager, whom anybody can ask, hold up anything else.
        packages = NIOThreadPool(numberOfThreads: 1)
        for pool in [files, hardware, services, packages] { pool.start() }
    }

    /// Reads or writes files.
    func file<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await files.runIfActive(body)
    }

    /// Asks the hardware; waits for those who asked before.
    func hardware<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await hardware.runIfActive(body)
    }

    /// Asks a service manager.
    func service<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await services.runIfActive(body)
    }

    /// Asks the package manager.
    func package<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await packages.runIfActive(body)
    }
}
