import Bytes
import Foundation

/// Looks for bytes in the whole writable memory of this process, as an attacker with a dump would.
enum MemoryScan {
    /// How many places hold `masked`, every byte of which is turned round (`^ 0xff`) here, so that
    /// asking is not finding.
    static func count(masked: [UInt8]) throws -> Int {
        let needle = UnsafeMutableRawBufferPointer.allocate(byteCount: masked.count, alignment: 1)
        for (index, byte) in masked.enumerated() { unsafe needle[index] = byte ^ 0xff }
        defer {
            for index in masked.indices { unsafe needle[index] = 0 }
            unsafe needle.deallocate()
        }
        var found = 0
        for region in try writableRegions() {
            var start = region.lowerBound
            while start + UInt(needle.count) <= region.upperBound,
                let hit = unsafe first(needle, start..<region.upperBound)
            {
                if hit != UInt(bitPattern: needle.baseAddress) { found += 1 }
                start = hit + 1
            }
        }
        return found
    }

    private static func first(
        _ needle: UnsafeMutableRawBufferPointer, _ region: Range<UInt>
    ) -> UInt? {
        guard let wanted = needle.baseAddress else { return nil }
        var start = region.lowerBound
        while let base = unsafe UnsafeRawPointer(bitPattern: start),
            let hit = unsafe memchr(base, Int32(needle[0]), Int(region.upperBound - start))
        {
            let address = UInt(bitPattern: hit)
            guard address + UInt(needle.count) <= region.upperBound else { return nil }
            if unsafe memcmp(hit, wanted, needle.count) == 0 { return address }
            start = address + 1
        }
        return nil
    }

    private static func writableRegions() throws -> [Range<UInt>] {
        try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).split(separator: "\n")
            .compactMap { line in
                let fields = line.split(separator: " ")
                guard fields.count >= 2, fields[1].hasPrefix("rw") else { return nil }
                let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
                return ends.count == 2 ? ends[0]..<ends[1] : nil
            }
    }
}
