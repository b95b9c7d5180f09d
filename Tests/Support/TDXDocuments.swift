import Bytes

/// Makes the text of a TCB info; every field may be set, also to nonsense.
public struct TCBInfoBuilder: Sendable {
    /// One level of the platform.
    public struct Level: Sendable {
        /// sgxtcbcomponents.
        public var sgx: [Int]
        /// pcesvn.
        public var pceSVN = 11
        /// tdxtcbcomponents.
        public var tdx: [Int]
        /// tcbDate.
        public var date = "2024-03-13T00:00:00Z"
        /// tcbStatus.
        public var status: String
        /// advisoryIDs; none leaves the member out.
        public var advisories: [String]

        /// A sound one of these versions.
        public init(
            sgx: Int, tdx: [Int], status: String = "UpToDate", advisories: [String] = []
        ) {
            self.sgx = Array(repeating: sgx, count: 16)
            self.tdx = tdx + Array(repeating: 0, count: max(0, 16 - tdx.count))
            self.status = status
            self.advisories = advisories
        }

        var text: String {
            func list(_ svns: [Int]) -> String {
                "[" + svns.map { "{\"svn\":\($0),\"category\":\"BIOS\"}" }.joined(separator: ",")
                    + "]"
            }
            return "{\"tcb\":{\"sgxtcbcomponents\":\(list(sgx)),\"pcesvn\":\(pceSVN),"
                + "\"tdxtcbcomponents\":\(list(tdx))},\"tcbDate\":\"\(date)\","
                + "\"tcbStatus\":\"\(status)\"\(advisoryText(advisories))}"
        }
    }

    /// The modules of one major version.
    public struct Identity: Sendable {
        /// id.
        public var id: String
        /// mrsigner.
        public var mrSigner = String(repeating: "00", count: 48)
        /// attributes.
        public var attributes = "0000000000000000"
        /// attributesMask.
        public var attributesMask = "FFFFFFFFFFFFFFFF"
        /// tcbLevels.
        public var levels: [SVNLevelText]

        /// A sound one.
        public init(id: String = "TDX_01", levels: [SVNLevelText] = [SVNLevelText(5)]) {
            self.id = id
            self.levels = levels
        }

        var members: String {
            "\"mrsigner\":\"\(mrSigner)\",\"attributes\":\"\(attributes)\","
                + "\"attributesMask\":\"\(attributesMask)\""
        }
    }

    /// id.
    public var id = "TDX"
    /// version.
    public var version = 3
    /// tcbType.
    public var type = 0
    /// issueDate.
    public var issueDate = "2026-11-01T00:00:00Z"
    /// nextUpdate.
    public var nextUpdate = "2026-12-01T00:00:00Z"
    /// fmspc.
    public var fmspc = "90C06F000000"
    /// pceId.
    public var pceID = "0000"
    /// tcbEvaluationDataNumber, in its digits.
    public var evaluationNumber = "18"
    /// tdxModule; its id and levels are not written.
    public var module = Identity()
    /// tdxModuleIdentities; nil leaves the member out.
    public var identities: [Identity]? = [Identity()]
    /// tcbLevels.
    public var levels = [
        Level(sgx: 4, tdx: [5, 0, 7]),
        Level(sgx: 2, tdx: [3, 0, 2], status: "OutOfDate", advisories: ["INTEL-SA-00001"]),
    ]
    /// Members behind all others, with a comma before them.
    public var more = ""

    /// A sound one.
    public init() {}

    /// The signed text.
    public var text: [UInt8] {
        var identityText = ""
        if let identities {
            let all = identities.map {
                "{\"id\":\"\($0.id)\",\($0.members),\"tcbLevels\":\(levelsText($0.levels))}"
            }
            identityText = "\"tdxModuleIdentities\":[\(all.joined(separator: ","))],"
        }
        return Array(
            ("{\"id\":\"\(id)\",\"version\":\(version),\"issueDate\":\"\(issueDate)\","
                + "\"nextUpdate\":\"\(nextUpdate)\",\"fmspc\":\"\(fmspc)\",\"pceId\":\"\(pceID)\","
                + "\"tcbType\":\(type),\"tcbEvaluationDataNumber\":\(evaluationNumber),"
                + "\"tdxModule\":{\(module.members)},\(identityText)"
                + "\"tcbLevels\":[\(levels.map(\.text).joined(separator: ","))]\(more)}").utf8)
    }
}

/// Makes the text of an identity of the quoting enclave.
public struct QEIdentityBuilder: Sendable {
    /// id.
    public var id = "TD_QE"
    /// version.
    public var version = 2
    /// issueDate.
    public var issueDate = "2026-11-01T00:00:00Z"
    /// nextUpdate.
    public var nextUpdate = "2026-12-01T00:00:00Z"
    /// miscselect.
    public var miscSelect = "00000000"
    /// miscselectMask.
    public var miscSelectMask = "FFFFFFFF"
    /// attributes.
    public var attributes = "11000000000000000000000000000000"
    /// attributesMask.
    public var attributesMask = "FBFFFFFFFFFFFFFF0000000000000000"
    /// mrsigner.
    public var mrSigner = String(repeating: "DC", count: 32)
    /// isvprodid.
    public var productID = 2
    /// tcbLevels.
    public var levels = [
        SVNLevelText(6),
        SVNLevelText(4, status: "OutOfDate", advisories: ["INTEL-SA-00003"]),
    ]

    /// A sound one.
    public init() {}

    /// The signed text.
    public var text: [UInt8] {
        Array(
            ("{\"id\":\"\(id)\",\"version\":\(version),\"issueDate\":\"\(issueDate)\","
                + "\"nextUpdate\":\"\(nextUpdate)\",\"tcbEvaluationDataNumber\":18,"
                + "\"miscselect\":\"\(miscSelect)\",\"miscselectMask\":\"\(miscSelectMask)\","
                + "\"attributes\":\"\(attributes)\",\"attributesMask\":\"\(attributesMask)\","
                + "\"mrsigner\":\"\(mrSigner)\",\"isvprodid\":\(productID),"
                + "\"tcbLevels\":\(levelsText(levels))}").utf8)
    }
}

/// One level of a module or enclave.
public struct SVNLevelText: Sendable {
    /// isvsvn.
    public var svn: Int
    /// tcbDate.
    public var date = "2024-03-13T00:00:00Z"
    /// tcbStatus.
    public var status: String
    /// advisoryIDs; none leaves the member out.
    public var advisories: [String]

    /// A sound one of these versions.
    public init(_ svn: Int, status: String = "UpToDate", advisories: [String] = []) {
        self.svn = svn
        self.status = status
        self.advisories = advisories
    }
}

private func levelsText(_ levels: [SVNLevelText]) -> String {
    let all = levels.map {
        "{\"tcb\":{\"isvsvn\":\($0.svn)},\"tcbDate\":\"\($0.date)\","
            + "\"tcbStatus\":\"\($0.status)\"\(advisoryText($0.advisories))}"
    }
    return "[\(all.joined(separator: ","))]"
}

private func advisoryText(_ advisories: [String]) -> String {
    if advisories.isEmpty { return "" }
    return ",\"advisoryIDs\":[" + advisories.map { "\"\($0)\"" }.joined(separator: ",") + "]"
}

/// Makes the value of a PCK certificate's SGX extension.
public struct PCKExtensionBuilder: Sendable {
    /// TCB components 1 to 16.
    public var components = [Int](repeating: 4, count: 16)
    /// pcesvn.
    public var pceSVN = 11
    /// pceId.
    public var pceID: [UInt8] = [0, 0]
    /// fmspc.
    public var fmspc: [UInt8] = [0x90, 0xc0, 0x6f, 0, 0, 0]
    /// Elements behind those of the platform: number and DER of the value.
    public var more: [(number: UInt8, value: [UInt8])] = []
    /// DER behind the elements of the TCB.
    public var moreTCB: [UInt8] = []
    /// The numbers of elements to leave out; those of the TCB with 200 added.
    public var without: Set<Int> = []

    private static let arc: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01]

    /// A sound one.
    public init() {}

    /// DER of the extension.
    public var der: [UInt8] {
        var tcb: [UInt8] = []
        for (index, svn) in components.enumerated() {
            tcb += pair([2, UInt8(index + 1)], Self.integer(svn), 201 + index)
        }
        tcb += pair([2, 17], Self.integer(pceSVN), 217)
        tcb += pair([2, 18], Self.element(0x04, components.map { UInt8($0 & 255) }), 218)
        tcb += moreTCB
        var all = pair([1], Self.element(0x04, [UInt8](repeating: 0x99, count: 16)), 1)
        all += pair([2], Self.element(0x30, tcb), 2)
        all += pair([3], Self.element(0x04, pceID), 3)
        all += pair([4], Self.element(0x04, fmspc), 4)
        all += pair([5], Self.element(0x0a, [1]), 5)
        for (number, value) in more { all += pair([number], value, 0) }
        return Self.element(0x30, all)
    }

    private func pair(_ branch: [UInt8], _ value: [UInt8], _ number: Int) -> [UInt8] {
        if without.contains(number) { return [] }
        return Self.element(0x30, Self.element(0x06, Self.arc + branch) + value)
    }

    /// A positive INTEGER.
    public static func integer(_ number: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.bigEndian(UInt32(number))
        let bytes = Array(writer.bytes.drop { $0 == 0 })
        let first = bytes.first ?? 0x80
        return element(0x02, first >= 0x80 ? [0] + bytes : bytes)
    }

    /// Any element below 64 KiB.
    public static func element(_ tag: UInt8, _ contents: [UInt8]) -> [UInt8] {
        let count = contents.count
        if count < 0x80 { return [tag, UInt8(count)] + contents }
        if count < 0x100 { return [tag, 0x81, UInt8(count)] + contents }
        return [tag, 0x82, UInt8(count >> 8), UInt8(count & 255)] + contents
    }
}
