public import Bytes
public import Evidence

/// What a TDX quote says, once its signatures, chain and binding were found good.
public struct TDXClaims: Sendable, Equatable {
    /// Measurements and attributes of the TD.
    public let body: TDReportBody
    /// The worst of platform, TDX module and quoting enclave, by Intel's list; nil where there was none
    /// to look at.
    public let tcbStatus: TCBStatus?
    /// Intel's advisories for what is not up to date.
    public let advisories: [String]
    /// The first fields of the quote; nil for a report that is no quote.
    public let header: TDXQuote.Header?
    /// The family of platforms.
    public let fmspc: FixedBytes<6>
    /// Of the oldest of Intel's lists that were used; nil where there were none.
    public let collateral: EndorsementDates?

    /// Takes what the caller has found authentic.
    @_spi(Verified)
    public init(
        authenticated body: TDReportBody, fmspc: FixedBytes<6>, tcbStatus: TCBStatus?,
        advisories: [String], collateral: EndorsementDates?, header: TDXQuote.Header? = nil
    ) {
        self.body = body
        self.fmspc = fmspc
        self.tcbStatus = tcbStatus
        self.advisories = advisories
        self.collateral = collateral
        self.header = header
    }
}
