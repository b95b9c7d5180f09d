import Bytes
import Curl
import Evidence

/// Where vendors publish, or a mirror of theirs does.
public struct EndorsementServices: Sendable, Equatable {
    /// AMD's Key Distribution Service, without the slash at the end.
    public var amd: String
    /// Intel's Provisioning Certification Service, likewise.
    public var intel: String
    /// What Intel's root has revoked: a document of its own at another host.
    public var intelRoot: String

    /// The vendors' own services, but for those that are named.
    ///
    /// - Parameter intel: a mirror has to serve `/IntelSGXRootCA.der` as well.
    public init(amd: String? = nil, intel: String? = nil) {
        self.amd = Self.trimmed(amd) ?? "https://kdsintf.amd.com"
        self.intel = Self.trimmed(intel) ?? "https://api.trustedservices.intel.com"
        intelRoot =
            (Self.trimmed(intel) ?? "https://certificates.trustedservices.intel.com")
            + "/IntelSGXRootCA.der"
    }

    /// Where a document is to be had.
    public func url(of object: EndorsementObject) -> String {
        switch object {
        case .vcek(let hwID, let tcb):
            "\(amd)/vcek/v1/\(tcb.product.rawValue)/\(Hex.encode(hwID))?\(Self.query(tcb))"
        case .amdIssuers(let leaf, let product):
            "\(amd)/\(leaf.rawValue)/v1/\(product.rawValue)/cert_chain"
        case .amdRevocations(let product): "\(amd)/vcek/v1/\(product.rawValue)/crl"
        case .tdxTCBInfo(let fmspc): "\(intel)/tdx/certification/v4/tcb?fmspc=\(fmspc.hex)"
        case .tdxQEIdentity: "\(intel)/tdx/certification/v4/qe/identity"
        case .pckRevocations(let authority):
            "\(intel)/sgx/certification/v4/pckcrl?ca=\(authority.rawValue)&encoding=der"
        case .intelRootRevocations: intelRoot
        }
    }

    /// `blSPL=10&teeSPL=00&…`, on Turin with `fmcSPL` in front: AMD publication 57230.
    private static func query(_ tcb: TCBVersion) -> String {
        let names: [(TCBComponent, String)] = [
            (.fmc, "fmcSPL"), (.bootloader, "blSPL"), (.tee, "teeSPL"), (.snp, "snpSPL"),
            (.microcode, "ucodeSPL"),
        ]
        return names.compactMap { component, name in
            tcb[component].map { $0 < 10 ? "\(name)=0\($0)" : "\(name)=\($0)" }
        }
        .joined(separator: "&")
    }

    private static func trimmed(_ url: String?) -> String? {
        url.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    }
}

/// Makes a document of an answer, or says what is wrong with it.
enum EndorsementAnswer {
    /// - Parameter now: the time, for a `Retry-After` that names one; seconds since 1970, UTC.
    static func content(
        of object: EndorsementObject, _ answer: Downloader.Answer, at now: Int64
    ) throws(FetchFault) -> EndorsementContent {
        let retryAfter = retryAfter(answer, at: now)
        switch answer.status {
        case 200: break
        case 429: throw .limited(retryAfter: retryAfter)
        case 300..<400: throw .redirected(status: answer.status)
        case 500...: throw .unavailable(status: answer.status, retryAfter: retryAfter)
        default: throw .refused(status: answer.status)
        }
        guard answer.body.count <= object.limit else {
            throw .transport(.answerTooLong(limit: object.limit))
        }
        let issuers = object.issuersHeader.flatMap(answer.header).flatMap(percentDecoded)
        return try EndorsementContent(object, answer.body, issuers: issuers)
    }

    /// RFC 9110, section 10.2.3: seconds or a date.
    private static func retryAfter(_ answer: Downloader.Answer, at now: Int64) -> Int? {
        guard let text = answer.header("retry-after") else { return nil }
        if let seconds = Int(text) { return seconds < 0 ? nil : seconds }
        return HTTPDate.time(text).map { Int(max(0, min($0 - now, 1 << 31))) }
    }

    /// RFC 3986, section 2.1; nil where a percent sign has no two digits behind it.
    private static func percentDecoded(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
            result.append(value)
            rest = rest.dropFirst(2)
        }
        return result
    }
}
