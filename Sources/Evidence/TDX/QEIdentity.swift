public import Bytes

/// Intel's word on which enclave makes quotes of trust domains; nothing in it is believed by reading it.
///
/// Source: Intel PCS API, "Get TD QE Identity V4": the member `enclaveIdentity`, version 2 with id
/// `TD_QE`.
public struct QEIdentity: Sendable, Equatable {
    /// issueDate, Unix seconds.
    public let issueDate: Int64
    /// nextUpdate, Unix seconds.
    public let nextUpdate: Int64
    /// tcbEvaluationDataNumber: which round of Intel's evaluations.
    public let evaluationNumber: Int
    /// miscselect, in the order of the bytes.
    public let miscSelect: FixedBytes<4>
    /// miscselectMask: the bits of it that count.
    public let miscSelectMask: FixedBytes<4>
    /// attributes, in the order of the bytes.
    public let attributes: FixedBytes<16>
    /// attributesMask: the bits of them that count.
    public let attributesMask: FixedBytes<16>
    /// mrsigner.
    public let mrSigner: FixedBytes<32>
    /// isvprodid.
    public let productID: UInt16
    /// tcbLevels in the order of the document, which is from the newest down.
    public let levels: [SVNLevel]

    /// Reads exactly the signed text.
    public init(parsing text: [UInt8]) throws(ParseError) {
        let fields = try JSONFields(
            parsing: text, name: "enclaveIdentity", limits: TDXCollateral.documentLimits)
        try fields.string("id", mustBe: "TD_QE")
        _ = try fields.integer("version", within: 2...2)
        issueDate = try fields.time("issueDate")
        nextUpdate = try fields.time("nextUpdate")
        guard issueDate <= nextUpdate else {
            throw .invalid(
                field: "enclaveIdentity.nextUpdate", rule: "must not be before issueDate")
        }
        evaluationNumber = try fields.integer("tcbEvaluationDataNumber", within: 0...Int.max)
        miscSelect = try fields.fixed("miscselect")
        miscSelectMask = try fields.fixed("miscselectMask")
        attributes = try fields.fixed("attributes")
        attributesMask = try fields.fixed("attributesMask")
        mrSigner = try fields.fixed("mrsigner")
        productID = UInt16(try fields.integer("isvprodid", within: 0...0xffff))
        levels = try SVNLevel.levels(fields)
    }
}
