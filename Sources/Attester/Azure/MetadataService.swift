import Bytes
import Evidence
import Linux

/// Azure's metadata service at 169.254.169.254. The host runs it, so nothing it says is believed here:
/// certificates and quotes are for the verifier to judge.
struct MetadataService: Sendable {
    /// The SNP certificates of this machine.
    private static let certificatePath = "/metadata/THIM/amd/certification"
    /// Where a TDREPORT becomes a quote.
    private static let quotePath = "/acc/tdquote"
    /// How long the service may take, in milliseconds.
    private static let patience: UInt64 = 10_000

    let kernel: any Kernel

    /// The VCEK and its issuers as PEM texts one after another.
    func certificates() throws(AttesterError) -> [UInt8] {
        let answer = try ask(HTTPAnswer.request("GET", Self.certificatePath), Self.certificatePath)
        guard let leaf = answer["vcekCert"]?.string,
            let chain = answer["certificateChain"]?.string
        else {
            throw .metadataService(
                path: Self.certificatePath, problem: "has no vcekCert and certificateChain")
        }
        return Array((leaf + (leaf.hasSuffix("\n") ? "" : "\n") + chain).utf8)
    }

    /// A quote made of a TDREPORT.
    func quote(of report: [UInt8]) throws(AttesterError) -> [UInt8] {
        let request = HTTPAnswer.request(
            "POST", Self.quotePath, json: "{\"report\":\"\(Self.base64URL(report))\"}")
        let answer = try ask(request, Self.quotePath)
        guard let text = answer["quote"]?.string, let quote = Self.decoded(text) else {
            throw .metadataService(path: Self.quotePath, problem: "has no quote in base64url")
        }
        return quote
    }

    private func ask(_ request: [UInt8], _ path: String) throws(AttesterError) -> JSONValue {
        let answer: HTTPAnswer
        do {
            answer = try HTTPAnswer(
                parsing: try kernel.exchange(
                    request, with: .metadataService, atMost: HTTPAnswer.maximumLength,
                    milliseconds: Self.patience, isWhole: HTTPAnswer.isWhole))
        } catch {
            throw .metadataService(path: path, problem: "\(error)")
        }
        guard answer.status == 200 else {
            throw .metadataService(path: path, problem: "status \(answer.status)")
        }
        do throws(JSONError) {
            return try JSONReader.parse(
                answer.body, limits: JSONReader.Limits(byteCount: HTTPAnswer.maximumLength))
        } catch {
            throw .metadataService(path: path, problem: "\(error)")
        }
    }

    /// RFC 4648, section 5, without padding.
    static func base64URL(_ bytes: [UInt8]) -> String {
        String(
            Base64.encode(bytes).compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }

    /// Both alphabets, padded or not: the service has used more than one.
    static func decoded(_ text: String) -> [UInt8]? {
        var characters = text.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        while characters.count % 4 != 0 { characters.append(UInt8(ascii: "=")) }
        return Base64.decode(characters: characters)
    }
}
