import Bytes

/// Makes the text of a TCB info; every field may be set, also to nonsense.
public struct TCBInfoBuilder: Sendable {
    /// One level of the platform.
    public struct Level: Sendable {
        public var sgx: [Int]
        public var pceSVN = 11
        public var tdx: [Int]
        public var date = "2024-03-13T00:00:00Z"
        public var status: String
        public var advisories: [String]

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
        public var id: String
        public var mrSigner = String(repeating: "00", count: 48)
        public var attributes = "0000000000000000"
        public var attributesMask = "FFFFFFFFFFFFFFFF"
        public var levels: [SVNLevelText]

        public init(id: String = "TDX_01", levels: [SVNLevelText] = [SVNLevelText(5)]) {
            self.id = id
            self.levels = levels
        }

        var members: String {
            "\"mrsigner\":\"\(mrSigner)\",\"attributes\":\"\(attributes)\","
                + "\"attributesMask\":\"\(attributesMask)\""
        }
    }

    public var id = "TDX"
    public var version = 3
    public var type = 0
    public var issueDate = "2026-11-01T00:00:00Z"
    public var nextUpdate = "2026-12-01T00:00:00Z"
    public var fmspc = "90C06F000000"
    public var pceID = "0000"
    public var evaluationNumber = "18"
    public var module = Identity()
    public var identities: [Identity]? = [Identity()]
    public var levels = [
        Level(sgx: 4, tdx: [5, 0, 7]),
        Level(sgx: 2, tdx: [3, 0, 2], status: "OutOfDate", advisories: ["INTEL-SA-00001"]),
    ]
    /// Members behind all others, with a comma before them.
    public var more = ""

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
    public var id = "TD_QE"
    public var version = 2
    public var issueDate = "2026-11-01T00:00:00Z"
    public var nextUpdate = "2026-12-01T00:00:00Z"
    public var miscSelect = "00000000"
    public var miscSelectMask = "FFFFFFFF"
    public var attributes = "11000000000000000000000000000000"
    public var attributesMask = "FBFFFFFFFFFFFFFF0000000000000000"
    public var mrSigner = String(repeating: "DC", count: 32)
    public var productID = 2
    public var levels = [
        SVNLevelText(6),
        SVNLevelText(4, status: "OutOfDate", advisories: ["INTEL-SA-00003"]),
    ]

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
    public var svn: Int
    public var date = "2024-03-13T00:00:00Z"
    public var status: String
    public var advisories: [String]

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
    public var components = [Int](repeating: 4, count: 16)
    public var pceSVN = 11
    public var pceID: [UInt8] = [0, 0]
    public var fmspc: [UInt8] = [0x90, 0xc0, 0x6f, 0, 0, 0]
    /// Elements behind those of the platform: number and DER of the value.
    public var more: [(number: UInt8, value: [UInt8])] = []
    /// The numbers of elements to leave out; those of the TCB with 200 added.
    public var without: Set<Int> = []

    private static let arc: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01]

    public init() {}

    /// DER of the extension.
    public var der: [UInt8] {
        var tcb: [UInt8] = []
        for (index, svn) in components.enumerated() {
            tcb += pair([2, UInt8(index + 1)], Self.integer(svn), 201 + index)
        }
        tcb += pair([2, 17], Self.integer(pceSVN), 217)
        tcb += pair([2, 18], Self.element(0x04, components.map { UInt8($0 & 255) }), 218)
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
