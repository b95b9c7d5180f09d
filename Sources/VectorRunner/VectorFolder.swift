import Bytes
import Linux
import OpenSSL

/// A folder of evidence with its index.
struct VectorFolder {
    let path: String
    let entries: [VectorEntry]
    /// Vendors' roots and intermediates that lie in `roots/`: they are believed only for their keys and
    /// signatures, like certificates from anywhere.
    let issuers: [X509Certificate]

    /// The largest file of evidence that is read, in bytes.
    static let fileLimit = 64 << 20
    private static let indexLimits = JSONReader.Limits(
        byteCount: 64 << 20, depth: 32, values: 1 << 22)

    init(_ path: String) throws(VectorFault) {
        self.path = path
        let text = try Self.read("\(path)/index.json")
        let index: JSONValue
        do throws(JSONError) {
            index = try JSONReader.parse(text, limits: Self.indexLimits)
        } catch {
            throw VectorFault("\(path)/index.json: \(error)")
        }
        guard let items = index.array else {
            throw VectorFault("\(path)/index.json: expected an array, got \(index.kind)")
        }
        var entries: [VectorEntry] = []
        for (number, item) in items.enumerated() {
            do throws(VectorFault) {
                entries.append(try VectorEntry(item))
            } catch {
                throw VectorFault("\(path)/index.json: [\(number)].\(error)")
            }
        }
        self.entries = entries
        issuers = Self.certificates(in: "\(path)/roots")
    }

    func read(_ relative: String) throws(VectorFault) -> [UInt8] {
        let isInside = !relative.hasPrefix("/") && !relative.split(separator: "/").contains("..")
        guard isInside else { throw VectorFault("\(relative): leads out of the folder") }
        return try Self.read("\(path)/\(relative)")
    }

    private static func read(_ path: String) throws(VectorFault) -> [UInt8] {
        do throws(SystemError) {
            return try File.read(path, atMost: fileLimit)
        } catch {
            throw VectorFault("\(error)")
        }
    }

    /// What can be read; a folder without roots is one in which each entry brings its own.
    private static func certificates(in folder: String) -> [X509Certificate] {
        guard let names = try? File.names(in: folder) else { return [] }
        return names.sorted().filter { $0.hasSuffix(".der") }.compactMap { name in
            guard let bytes = try? read("\(folder)/\(name)") else { return nil }
            return try? X509Certificate(der: bytes)
        }
    }
}
