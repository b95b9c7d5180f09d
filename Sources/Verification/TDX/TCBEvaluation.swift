import Bytes
public import Evidence

/// How Intel rates what a quote names: platform, TDX module and quoting enclave.
///
/// Source: Intel PCS API, "Get TDX TCB Info V4" and "Get TD QE Identity V4".
public struct TDXRating: Sendable, Equatable {
    /// Of the platform; nil where no level matches.
    public let platform: TCBStatus?
    /// Of the TDX module; nil where no level matches. One of a platform whose module has no levels of its
    /// own (TEE_TCB_SVN[1] zero) is rated with the platform.
    public let module: TCBStatus?
    /// Of the quoting enclave; nil where no level matches.
    public let quotingEnclave: TCBStatus?
    /// What the matching levels name, sorted, each once.
    public let advisories: [String]
    /// tcbDate of the platform's level, Unix seconds; nil where none matches.
    public let platformDate: Int64?
    /// Of the TCB info.
    public let evaluationNumber: Int
    /// The module that runs now would be rated better than the one that launched the trust domain: a new
    /// launch would help. Only quotes of TDX 1.5 tell.
    public let relaunchHelps: Bool

    /// The three put together; nil where one has no level.
    public var status: TCBStatus? {
        guard let platform, let module, let quotingEnclave else { return nil }
        return platform.combined(with: module).combined(with: quotingEnclave)
    }
}

/// Finds the levels that a quote and its platform match.
struct TCBEvaluation {
    let info: TCBInfo
    let identity: QEIdentity
    let platform: PCKExtension
    let quote: TDXQuote

    var rating: TDXRating {
        let svn = quote.body.teeTCBSVN.bytes
        let level = self.level(svn)
        let module = moduleStatus(svn)
        let enclave = identity.levels.first { $0.svn <= quote.qeReport.svn }
        let advisories = Set(
            (level?.advisories ?? []) + (module?.advisories ?? []) + (enclave?.advisories ?? []))
        var relaunchHelps = false
        if let now = quote.body.teeTCBSVN2?.bytes, now != svn {
            if let later = combined(self.level(now)?.status, moduleStatus(now)?.status),
                let current = combined(level?.status, module?.status)
            {
                relaunchHelps = later < current
            }
        }
        return TDXRating(
            platform: level?.status, module: module?.status, quotingEnclave: enclave?.status,
            advisories: advisories.sorted(), platformDate: level?.date,
            evaluationNumber: info.evaluationNumber, relaunchHelps: relaunchHelps)
    }

    private func combined(_ platform: TCBStatus?, _ module: TCBStatus?) -> TCBStatus? {
        guard let platform, let module else { return nil }
        return platform.combined(with: module)
    }

    /// The first level of which no component is above the platform's.
    ///
    /// Component by component, never as one number. From TDX 1.5 on the first two versions of
    /// TEE_TCB_SVN are those of the module, which has levels of its own.
    private func level(_ svn: [UInt8]) -> TCBInfo.Level? {
        let skipped = svn[1] == 0 ? 0 : 2
        return info.levels.first { level in
            zip(platform.components, level.sgxComponents).allSatisfy { $0 >= $1 }
                && platform.pceSVN >= level.pceSVN
                && zip(svn, level.tdxComponents).dropFirst(skipped).allSatisfy { $0 >= $1 }
        }
    }

    private func moduleStatus(_ svn: [UInt8]) -> (status: TCBStatus, advisories: [String])? {
        if svn[1] == 0 { return (.upToDate, []) }
        guard let identity = info.moduleIdentities.first(where: { $0.majorVersion == svn[1] })
        else { return nil }
        return identity.levels.first { $0.svn <= UInt16(svn[0]) }
            .map { ($0.status, $0.advisories) }
    }

    /// The modules that the quote's one has to be among; nil where the TCB info has none.
    var module: TCBInfo.Module? {
        let major = quote.body.teeTCBSVN[1]
        if major == 0 { return info.module }
        return info.moduleIdentities.first { $0.majorVersion == major }?.module
    }
}
