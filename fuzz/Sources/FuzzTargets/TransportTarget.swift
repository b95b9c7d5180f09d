import Attester
import Bytes
import Endorsements

/// What comes in from Azure's metadata service, and from an owner's memory stick.
enum TransportTarget {
    /// HTTP answers: one that is whole before the connection ends is the same at the end.
    static func answer(_ input: [UInt8]) {
        let atEnd = try? HTTPAnswer(parsing: input)
        precondition(!HTTPAnswer.isWhole(input) || atEnd != nil, "whole, and yet unreadable")
        guard let atEnd else { return }
        precondition(atEnd.body.count <= input.count, "more than came")
        precondition((100...599).contains(atEnd.status), "no status")
    }

    /// Bundles of endorsements: archives have one form, and documents are read behind a manifest that fits.
    static func bundle(_ input: [UInt8]) {
        _ = try? EndorsementBundle(parsing: input)
        guard let members = TarFile.decode(input, atMost: 1000) else { return }
        precondition(TarFile.encode(members) == input, "two archives of the same files")
        let whole = TarFile.encode(EndorsementBundle.withManifest(members))
        if let whole, let bundle = try? EndorsementBundle(parsing: whole) {
            precondition(bundle.encoded() == whole, "another bundle of the same documents")
        }
    }

    static var answerSeeds: [[UInt8]] {
        [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1a;\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "HTTP/1.0 404 Not Found\r\n\r\nuntil the end",
        ].map { Array($0.utf8) }
    }

    static var bundleSeeds: [[UInt8]] {
        let files = [
            TarFile.Member(path: "amd/milan/crl.der", content: [0x30, 0]),
            TarFile.Member(path: "vcek/00/bl04_tee00_snp24_ucode219.der", content: []),
        ]
        return [files, EndorsementBundle.withManifest(files), []].compactMap(TarFile.encode)
    }
}
