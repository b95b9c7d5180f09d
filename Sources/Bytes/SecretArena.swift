import Synchronization

/// The one place in a process where secret bytes live: a page-aligned block, cut into 64-byte cells.
///
/// The block is allocated once and never freed, so a wipe is a store to reachable memory that no
/// optimiser may drop, and a program can lock the whole of it (`Linux.protectSecretArena`).
@safe public final class SecretArena: @unchecked Sendable {
    /// The arena of this process.
    public static let shared = SecretArena(byteCount: 1 << 20)

    /// Bytes in a cell; every secret starts at a multiple of it.
    public static let cellSize = 64

    /// The whole block, for locking it and for keeping it out of core files. Reading it reads secrets.
    public let region: UnsafeMutableRawBufferPointer

    /// One flag for each cell: whether it is taken.
    private let taken: Mutex<[Bool]>

    init(byteCount: Int) {
        unsafe region = .allocate(byteCount: byteCount, alignment: 4096)
        unsafe region.initializeMemory(as: UInt8.self, repeating: 0)
        taken = Mutex(Array(repeating: false, count: byteCount / Self.cellSize))
    }

    /// Takes enough neighbouring cells for `count` bytes, all zero; nil when none are left.
    func allocate(_ count: Int) -> UnsafeMutableRawBufferPointer? {
        let cells = max(1, (count + Self.cellSize - 1) / Self.cellSize)
        let start = taken.withLock { taken -> Int? in
            var run = 0
            for index in taken.indices {
                run = taken[index] ? 0 : run + 1
                if run == cells {
                    let start = index + 1 - cells
                    for cell in start...index { taken[cell] = true }
                    return start
                }
            }
            return nil
        }
        guard let start else { return nil }
        let first = start * Self.cellSize
        return unsafe UnsafeMutableRawBufferPointer(rebasing: region[first..<first + count])
    }

    /// Wipes `block` and gives its cells back.
    func free(_ block: UnsafeMutableRawBufferPointer) {
        let first =
            unsafe (block.baseAddress.map { unsafe $0 - region.baseAddress.unsafelyUnwrapped } ?? 0)
        let start = first / Self.cellSize
        let cells = max(1, (block.count + Self.cellSize - 1) / Self.cellSize)
        let whole = unsafe region[first..<first + cells * Self.cellSize]
        unsafe UnsafeMutableRawBufferPointer(rebasing: whole)
            .initializeMemory(as: UInt8.self, repeating: 0)
        taken.withLock { taken in
            for cell in start..<start + cells { taken[cell] = false }
        }
    }
}
