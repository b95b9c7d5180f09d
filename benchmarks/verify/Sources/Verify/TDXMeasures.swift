import Bytes
import Evidence
import Foundation
import OpenSSL
import Policy
import Verification

/// A real quote of a platform that was up to date, with the collateral of its time; `data` is the folder
/// of real evidence (`../shared/vectors`).
enum TDXMeasures {
    /// Nothing seen before: chain, documents and lists are parsed and checked each time.
    static func full(_ data: String) throws -> () -> Bool {
        let evidence = try Evidence(data)
        return {
            evidence.isGenuine(
                TDXVerifier(anchors: TrustAnchor.intel), collateral: evidence.collateral)
        }
    }

    /// A chain that nobody has seen before and no collateral: the work of the limit program.
    static func chain(_ data: String) throws -> () -> Bool {
        let evidence = try Evidence(data)
        return { evidence.isGenuine(TDXVerifier(anchors: TrustAnchor.intel), collateral: nil) }
    }

    /// Chain and collateral were found good before.
    static func cached(_ data: String) throws -> () -> Bool {
        let evidence = try Evidence(data)
        let verifier = TDXVerifier(anchors: TrustAnchor.intel)
        return { evidence.isGenuine(verifier, collateral: evidence.collateral) }
    }

    private struct Evidence {
        let quote: [UInt8]
        let collateral: TDXCollateral
        let reportData: FixedBytes<64>
        let time: Int64

        init(_ folder: String) throws {
            func file(_ name: String) throws -> [UInt8] {
                let path = "\(folder)/tdx/tdx-v4-uptodate/\(name)"
                return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            }
            quote = try file("quote.bin")
            collateral = try TDXCollateral(json: try file("collateral.json"))
            reportData = try TDXQuote(parsing: quote).body.reportData
            time = try TCBInfo(parsing: collateral.tcbInfo.text).nextUpdate - 86400
        }

        func isGenuine(_ verifier: TDXVerifier, collateral: TDXCollateral?) -> Bool {
            let result = verifier.verify(
                quoteBytes: quote, collateral: collateral, expected: reportData, at: time)
            guard let claims = result.claims else { return false }
            return claims.tcbStatus == (collateral == nil ? nil : .upToDate)
        }
    }
}
