import Bytes
import Evidence

/// Snapshots: parts make no difference, and what is accepted survives its own text.
enum SnapshotTarget {
    static func run(_ input: [UInt8]) {
        let whole = snapshot(input, part: max(1, input.count))
        let parts = snapshot(input, part: 7)
        precondition(same(whole, parts), "parts make a difference")
        guard let whole else { return }
        var text: [UInt8] = []
        whole.write { text += $0 }
        precondition(
            same(whole, try? Snapshot(parsing: text)), "a snapshot changes in its own text")
    }

    private static func snapshot(_ input: [UInt8], part: Int) -> Snapshot? {
        var reader = SnapshotReader()
        for start in stride(from: 0, to: input.count, by: part) {
            let end = min(start + part, input.count)
            guard (try? reader.append(input[start..<end])) != nil else { return nil }
        }
        return try? reader.finish()
    }

    private static func same(_ left: Snapshot?, _ right: Snapshot?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left.header == right.header && left.details == right.details
            && left.packages == right.packages && left.files?.count == right.files?.count
            && SnapshotDifference(old: left, new: right).isEmpty
    }

    static var seeds: [[UInt8]] {
        let digest = [UInt8](repeating: 7, count: 32)
        var policy = SnapshotHeader.SNPPolicy()
        policy.guestSVN = 1
        policy.imageID = FixedBytes()
        var tdx = SnapshotHeader.TDXPolicy()
        tdx.xfam = 231
        tdx.tdAttributes = FixedBytes()
        let headers = [
            SnapshotHeader(teePolicy: .snp(policy), tpmPolicy: .init(resetCount: 1)),
            SnapshotHeader(cloudType: "GCP", teePolicy: .tdx(tdx)),
        ]
        return headers.map { header in
            var writer = SnapshotWriter(header)
            writer.file(path: "/a \"\\é".utf8, digest: digest)
            writer.file(path: "/b".utf8, digest: digest.prefix(20))
            var pcrs = PCRValues()
            try? pcrs.insert(digest, at: 10, in: .sha256)
            writer.details(
                SnapshotDetails(
                    vm: "v", hostName: "h", bootID: "b", time: 1, hash: .sha256, pcrs: pcrs,
                    ima: .init(entries: 1, bytes: 2), excluded: ["/x"], skipped: 1))
            var package = SnapshotPackage(
                name: "p", version: "1", architecture: "all", manager: .dpkg)
            package.add(path: "/a".utf8)
            writer.package(package)
            writer.end()
            return writer.take()
        } + [Array(#"{"tee_policy":null,"tpm_policy":null,"filehashes":null}"#.utf8)]
    }
}
