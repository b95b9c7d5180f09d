import Bytes
import Evidence
import Linux

/// Intel's Quote Generation Service on the host, asked over vsock, for kernels that have no
/// configfs-tsm.
///
/// Source: Intel SGX-TDX DCAP, qgs_msg_lib.h, version 1.0: messages are little-endian; over vsock each has
/// its length in front, four bytes big-endian.
struct QuoteService: Sendable {
    /// The port that Intel's service listens at by default.
    static let port: UInt32 = 4050
    /// How long the host may take, in milliseconds: the kernel itself gives a quote 30 s.
    private static let patience: UInt64 = 30_000
    private static let headerLength = 16

    let kernel: any Kernel

    /// A quote made of a TDREPORT.
    func quote(of report: [UInt8]) throws(AttesterError) -> [UInt8] {
        let answer: [UInt8]
        do throws(SystemError) {
            answer = try kernel.exchange(
                Self.request(report), with: .host(port: Self.port),
                atMost: TDXQuote.maximumByteCount + 64, milliseconds: Self.patience,
                isWhole: Self.isWhole)
        } catch {
            throw .quoteService(problem: error.description)
        }
        return try Self.quote(in: answer)
    }

    /// GET_QUOTE_REQ with `report` and no list of acceptable quoting enclaves.
    static func request(_ report: [UInt8]) -> [UInt8] {
        let size = UInt32(headerLength + 8 + report.count)
        var writer = ByteWriter()
        writer.bigEndian(size)
        // major_version, minor_version, type GET_QUOTE_REQ, size, error_code
        writer.littleEndian(UInt16(1))
        writer.littleEndian(UInt16(0))
        writer.littleEndian(UInt32(0))
        writer.littleEndian(size)
        writer.littleEndian(UInt32(0))
        // report_size, id_list_size
        writer.littleEndian(UInt32(report.count))
        writer.littleEndian(UInt32(0))
        writer.raw(report)
        return writer.bytes
    }

    private static func isWhole(_ answer: [UInt8]) -> Bool {
        guard answer.count >= 4 else { return false }
        return answer.count - 4 >= answer.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    }

    /// The quote in GET_QUOTE_RESP; every length has to fit exactly.
    static func quote(in answer: [UInt8]) throws(AttesterError) -> [UInt8] {
        var error: UInt32 = 0
        let quote: [UInt8]
        do throws(ParseError) {
            quote = try answer.parse("GET_QUOTE_RESP") { reader throws(ParseError) in
                let length = try reader.bigEndian("length", as: UInt32.self)
                guard Int(length) == reader.remaining else {
                    throw .invalid(field: "length", rule: "must be that of the message")
                }
                let version = try reader.littleEndian("major_version", as: UInt16.self)
                guard version == 1 else {
                    throw .outOfRange(field: "major_version", value: UInt64(version))
                }
                try reader.skip("minor_version", count: 2)
                let type = try reader.littleEndian("type", as: UInt32.self)
                guard type == 1 else { throw .outOfRange(field: "type", value: UInt64(type)) }
                guard try reader.littleEndian("size", as: UInt32.self) == length else {
                    throw .invalid(field: "size", rule: "must be that of the message")
                }
                error = try reader.littleEndian("error_code")
                if error != 0 {
                    try reader.skip("message", count: reader.remaining)
                    return []
                }
                let idSize = try reader.littleEndian("selected_id_size", as: UInt32.self)
                let quoteSize = try reader.littleEndian("quote_size", as: UInt32.self)
                try reader.skip("selected_id", count: Int(idSize))
                return try reader.bytes("quote", count: Int(quoteSize))
            }
        } catch {
            throw .quoteService(problem: error.description)
        }
        guard error == 0 else {
            throw .quoteService(problem: "error code 0x\(String(error, radix: 16))")
        }
        return quote
    }
}
