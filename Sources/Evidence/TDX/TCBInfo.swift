public import Bytes

/// Intel's word on the versions of one kind of platform; nothing in it is believed by reading it.
///
/// Source: Intel PCS API, "Get TDX TCB Info V4": the member `tcbInfo`, version 3 with id `TDX`.
public struct TCBInfo: Sendable, Equatable {
    /// One set of versions, and what is known of platforms that have these or later ones.
    public struct Level: Sendable, Equatable {
        /// sgxtcbcomponents: 16 security versions.
        public let sgxComponents: [UInt8]
        /// pcesvn.
        public let pceSVN: UInt16
        /// tdxtcbcomponents: 16 security versions.
        public let tdxComponents: [UInt8]
        /// tcbDate, Unix seconds.
        public let date: Int64
        /// tcbStatus.
        public let status: TCBStatus
        /// advisoryIDs.
        public let advisories: [String]
    }

    /// Which TDX modules are Intel's.
    public struct Module: Sendable, Equatable {
        /// mrsigner.
        public let mrSigner: FixedBytes<48>
        /// attributes, in the order of the bytes.
        public let attributes: FixedBytes<8>
        /// attributesMask: the bits of the attributes that count.
        public let attributesMask: FixedBytes<8>
    }

    /// The modules of one major version, with levels of their own.
    public struct ModuleIdentity: Sendable, Equatable {
        /// The number in the id, `TDX_03`: TEE_TCB_SVN[1] of its modules.
        public let majorVersion: UInt8
        /// Which modules are meant.
        public let module: Module
        /// In the order of the document, which is from the newest down.
        public let levels: [SVNLevel]
    }

    /// issueDate, Unix seconds.
    public let issueDate: Int64
    /// nextUpdate, Unix seconds.
    public let nextUpdate: Int64
    /// fmspc: the kind of platform.
    public let fmspc: FixedBytes<6>
    /// pceId.
    public let pceID: FixedBytes<2>
    /// tcbEvaluationDataNumber: which round of Intel's evaluations.
    public let evaluationNumber: Int
    /// tdxModule: for modules with TEE_TCB_SVN[1] zero.
    public let module: Module
    /// tdxModuleIdentities: for all others.
    public let moduleIdentities: [ModuleIdentity]
    /// tcbLevels in the order of the document, which is from the newest down.
    public let levels: [Level]

    /// Reads exactly the signed text.
    public init(parsing text: [UInt8]) throws(ParseError) {
        let fields = try JSONFields(
            parsing: text, name: "tcbInfo", limits: TDXCollateral.documentLimits)
        try fields.string("id", mustBe: "TDX")
        _ = try fields.integer("version", within: 3...3)
        _ = try fields.integer("tcbType", within: 0...0)
        issueDate = try fields.time("issueDate")
        nextUpdate = try fields.time("nextUpdate")
        guard issueDate <= nextUpdate else {
            throw .invalid(field: "tcbInfo.nextUpdate", rule: "must not be before issueDate")
        }
        fmspc = try fields.fixed("fmspc")
        pceID = try fields.fixed("pceId")
        evaluationNumber = try fields.integer("tcbEvaluationDataNumber", within: 0...Int.max)
        module = try Module(try fields.object("tdxModule"))
        moduleIdentities = try Self.identities(fields)
        var levels: [Level] = []
        for level in try fields.objects("tcbLevels", within: 1...256) {
            levels.append(try Level(level))
        }
        self.levels = levels
    }

    private static func identities(
        _ fields: JSONFields
    ) throws(ParseError) -> [ModuleIdentity] {
        guard fields.has("tdxModuleIdentities") else { return [] }
        var identities: [ModuleIdentity] = []
        for element in try fields.objects("tdxModuleIdentities", within: 0...256) {
            let identity = try ModuleIdentity(element)
            guard !identities.contains(where: { $0.majorVersion == identity.majorVersion }) else {
                throw .invalid(
                    field: "tcbInfo.tdxModuleIdentities", rule: "must have each id once only")
            }
            identities.append(identity)
        }
        return identities
    }
}

extension TCBInfo.Module {
    init(_ fields: JSONFields) throws(ParseError) {
        mrSigner = try fields.fixed("mrsigner")
        attributes = try fields.fixed("attributes")
        attributesMask = try fields.fixed("attributesMask")
    }
}

extension TCBInfo.ModuleIdentity {
    init(_ fields: JSONFields) throws(ParseError) {
        let id = try fields.string("id")
        guard id.hasPrefix("TDX_"), let number = Hex.decode(id.dropFirst(4)), number.count == 1
        else {
            throw .invalid(
                field: "tcbInfo.tdxModuleIdentities.id", rule: "must be TDX_ and two digits")
        }
        majorVersion = number[0]
        module = try TCBInfo.Module(fields)
        levels = try SVNLevel.levels(fields)
    }
}

extension TCBInfo.Level {
    init(_ fields: JSONFields) throws(ParseError) {
        let tcb = try fields.object("tcb")
        sgxComponents = try Self.components(tcb, "sgxtcbcomponents")
        pceSVN = UInt16(try tcb.integer("pcesvn", within: 0...0xffff))
        tdxComponents = try Self.components(tcb, "tdxtcbcomponents")
        date = try fields.time("tcbDate")
        status = try fields.status()
        advisories = try fields.advisories()
    }

    private static func components(
        _ fields: JSONFields, _ name: String
    ) throws(ParseError) -> [UInt8] {
        var components: [UInt8] = []
        for element in try fields.objects(name, within: 16...16) {
            components.append(UInt8(try element.integer("svn", within: 0...255)))
        }
        return components
    }
}

/// One security version of an enclave or module, and what is known of those that have it or a later.
public struct SVNLevel: Sendable, Equatable {
    /// isvsvn.
    public let svn: UInt16
    /// tcbDate, Unix seconds.
    public let date: Int64
    /// tcbStatus.
    public let status: TCBStatus
    /// advisoryIDs.
    public let advisories: [String]

    init(_ fields: JSONFields) throws(ParseError) {
        svn = UInt16(try fields.object("tcb").integer("isvsvn", within: 0...0xffff))
        date = try fields.time("tcbDate")
        status = try fields.status()
        advisories = try fields.advisories()
    }

    static func levels(_ fields: JSONFields) throws(ParseError) -> [SVNLevel] {
        var levels: [SVNLevel] = []
        for level in try fields.objects("tcbLevels", within: 1...256) {
            levels.append(try SVNLevel(level))
        }
        return levels
    }
}
