import Bytes

extension Appraisal {
    private static let day: Int64 = 86400

    /// Lists of revoked certificates and of old firmware are only as good as they are young: a host, or
    /// whoever stands between vendor and broker, could keep back the newer one.
    func endorsementAge() -> Finding {
        let dates = claims.hardware.endorsementDates
        let actual =
            dates.map { "issued \(age($0.issued)), next due \(due($0.nextUpdate))" }
            ?? "no revocation list was there to look at"
        guard rules.requiresRevocationList || rules.maximumEndorsementAge != nil else {
            return Finding(unset: .endorsementAge, actual: actual)
        }
        var expected = "a revocation list"
        if let days = rules.maximumEndorsementAge { expected += " issued in the last \(days) days" }
        var holds = dates != nil
        if let dates, let days = rules.maximumEndorsementAge {
            let (age, overflow) = time.subtractingReportingOverflow(dates.issued)
            holds = !overflow && (0...Int64(days) * Self.day).contains(age)
        }
        return Finding(.endorsementAge, holds: holds, expected: expected, actual: actual)
    }

    private func age(_ issued: Int64) -> String {
        let (age, overflow) = time.subtractingReportingOverflow(issued)
        if overflow { return "at no time this clock knows" }
        return age < 0 ? "in the future" : "\(age / Self.day) days ago"
    }

    private func due(_ next: Int64) -> String {
        let (left, overflow) = next.subtractingReportingOverflow(time)
        if overflow { return "at no time this clock knows" }
        return left < 0 ? "\(-left / Self.day) days ago" : "in \(left / Self.day) days"
    }
}

extension Claims.Hardware {
    /// Of the oldest list that the evidence was looked up in.
    var endorsementDates: EndorsementDates? {
        switch self {
        case .snp(let snp): snp.revocationList
        case .tdx(let tdx): tdx.collateral
        }
    }
}
