import Bytes
import Evidence
import OpenSSL
import Policy
import TestSupport
import Testing
import Verification

@Suite("How Intel rates a platform")
struct TDXRatingTests {
    private func rating(
        version: UInt16 = 4, bodyType: UInt16 = 2, _ change: (inout TestPCS) -> Void
    ) throws -> (rating: TDXRating, claims: TDXClaims?, refused: [TDXCheck]) {
        var pcs = try TestPCS(version: version, bodyType: bodyType)
        change(&pcs)
        let result = try pcs.verify()
        return (try #require(result.rating), result.claims, result.refused)
    }

    @Test("the first level of which no component is above the platform's counts")
    func levels() throws {
        #expect(try rating { _ in }.rating.platform == .upToDate)
        for index in 0..<16 {
            let low = try rating { $0.platform?.components[index] = 3 }
            #expect(low.rating.platform == .outOfDate, "component \(index)")
            #expect(low.claims?.tcbStatus == .outOfDate)
            #expect(low.claims?.advisories == ["INTEL-SA-00001"])
            let none = try rating { $0.platform?.components[index] = 1 }
            #expect(none.rating.platform == nil && none.rating.status == nil)
            #expect(none.claims == nil && none.refused == [.tcbLevel])
        }
        #expect(try rating { $0.platform?.pceSVN = 10 }.rating.platform == nil)
        #expect(
            try rating {
                $0.platform?.pceSVN = 10
                $0.tcbInfo.levels[1].pceSVN = 5
            }.rating.platform == .outOfDate)
        // More of one component does not make up for less of another.
        #expect(
            try rating {
                $0.platform?.components = [255, 1] + Array(repeating: 255, count: 14)
            }.rating.platform == nil)
    }

    @Test("versions 0 and 1 of the module count with the platform only where version 1 is zero")
    func moduleVersions() throws {
        #expect(
            try rating {
                $0.quote.set(.teeTCBSVN, [2, 0, 7])
                $0.tcbInfo.levels[1].tdx[0] = 2
            }.rating.platform == .outOfDate)
        #expect(try rating { $0.quote.set(.teeTCBSVN, [2, 0, 7]) }.rating.platform == nil)
        #expect(try rating { $0.quote.set(.teeTCBSVN, [5, 0, 7]) }.rating.platform == .upToDate)
        // From index 2 on the rest counts either way.
        for major: UInt8 in [0, 1] {
            #expect(
                try rating { $0.quote.set(.teeTCBSVN, [5, major, 6]) }.rating.platform
                    == .outOfDate)
            for index in 2..<16 {
                let low = try rating {
                    $0.quote.set(.teeTCBSVN, [5, major, 7])
                    $0.tcbInfo.levels[0].tdx[index] = 8
                    $0.tcbInfo.levels[1].tdx = Array(repeating: 0, count: 16)
                }
                #expect(low.rating.platform == .outOfDate, "component \(index)")
            }
        }
        let module = try rating {
            $0.quote.set(.teeTCBSVN, [3, 1, 7])
            $0.tcbInfo.identities?[0].levels = [
                SVNLevelText(5),
                SVNLevelText(2, status: "OutOfDate", advisories: ["INTEL-SA-00002"]),
            ]
        }
        #expect(module.rating.platform == .upToDate && module.rating.module == .outOfDate)
        #expect(module.claims?.tcbStatus == .outOfDate)
        #expect(module.claims?.advisories == ["INTEL-SA-00002"])
        let none = try rating { $0.quote.set(.teeTCBSVN, [4, 1, 7]) }
        #expect(none.rating.module == nil && none.refused == [.tcbLevel] && none.claims == nil)
    }

    @Test("the worst of platform, module and quoting enclave counts, with all advisories")
    func together() throws {
        let enclave = try rating { $0.changeQEReport = { $0[0x102] = 5 } }
        #expect(enclave.rating.quotingEnclave == .outOfDate)
        #expect(enclave.claims?.advisories == ["INTEL-SA-00003"])
        let all = try rating {
            $0.changeQEReport = { $0[0x102] = 5 }
            $0.platform?.components[0] = 3
            $0.tcbInfo.levels[1].status = "ConfigurationNeeded"
            $0.tcbInfo.levels[1].advisories = ["INTEL-SA-00003", "INTEL-SA-00001"]
            $0.tcbInfo.identities?[0].levels = [
                SVNLevelText(1, status: "SWHardeningNeeded", advisories: ["A-9"])
            ]
        }
        #expect(all.rating.platform == .configurationNeeded)
        #expect(all.rating.module == .swHardeningNeeded)
        #expect(all.claims?.tcbStatus == .outOfDateConfigurationNeeded)
        #expect(all.claims?.advisories == ["A-9", "INTEL-SA-00001", "INTEL-SA-00003"])
        for status in TCBStatus.allCases {
            let one = try rating { $0.tcbInfo.levels[0].status = status.rawValue }
            #expect(one.claims?.tcbStatus == status)
        }
    }

    @Test("a quote of TDX 1.5 tells when a new launch would be rated better")
    func relaunch() throws {
        let change: (inout TestPCS) -> Void = {
            $0.quote.set(.teeTCBSVN, [3, 1, 7])
            $0.tcbInfo.identities?[0].levels = [
                SVNLevelText(5), SVNLevelText(2, status: "OutOfDate"),
            ]
        }
        let updated = try rating(version: 5, bodyType: 3, change)
        #expect(updated.rating.relaunchHelps && updated.claims?.tcbStatus == .outOfDate)
        #expect(try !rating(version: 5, bodyType: 2, change).rating.relaunchHelps)
        #expect(try !rating(version: 5, bodyType: 3) { _ in }.rating.relaunchHelps)
    }
}
