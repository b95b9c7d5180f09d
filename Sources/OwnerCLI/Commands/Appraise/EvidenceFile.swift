import Bytes
import Linux
import OpenSSL

/// Files of evidence and options in hexadecimal digits, read with errors that name the option.
enum EvidenceFile {
    /// The largest file that is read whole, in bytes, unless the option says less: an event log is below.
    static let limit = 16 << 20

    static func read(
        _ path: String, _ option: String, atMost limit: Int = limit
    ) throws(Failure) -> [UInt8] {
        do throws(SystemError) {
            return try File.read(path, atMost: limit)
        } catch {
            throw Failure(.unusableInput, "\(option): \("\(error)".shown)")
        }
    }

    /// Reads a file that has to begin like evidence of its kind: what does not is an oversight of the
    /// caller's rather than a forgery.
    static func evidence(
        _ path: String, _ option: String, atMost limit: Int = limit, _ kind: String,
        where isPlausible: ([UInt8]) -> Bool
    ) throws(Failure) -> [UInt8] {
        let bytes = try read(path, option, atMost: limit)
        guard isPlausible(bytes) else {
            throw Failure(.unusableInput, "\(option): \(path.shown) is not \(kind)")
        }
        return bytes
    }

    static func certificate(_ path: String, _ option: String) throws(Failure) -> X509Certificate {
        let bytes = try read(path, option, atMost: 64 << 10)
        do throws(X509Error) {
            return try X509Certificate(derOrPEM: bytes)
        } catch {
            throw Failure(.unusableInput, "\(option): \(path.shown): \("\(error)".shown)")
        }
    }

    /// Parses by `body`; an error names the option and the file.
    static func parse<T>(
        _ path: String, _ option: String, _ body: () throws(ParseError) -> T
    ) throws(Failure) -> T {
        do throws(ParseError) {
            return try body()
        } catch {
            throw Failure(.unusableInput, "\(option): \(path.shown): \("\(error)".shown)")
        }
    }

    /// Exactly as many bytes as `count` says, in hexadecimal digits.
    static func fixed<let count: Int>(
        _ text: String?, _ option: String
    ) throws(Failure) -> FixedBytes<count>? {
        guard let text else { return nil }
        guard let value = FixedBytes<count>(hex: text) else {
            throw Failure(.unusableInput, "\(option): expected \(2 * count) hexadecimal digits")
        }
        return value
    }

    static func bytes(_ text: String?, _ option: String) throws(Failure) -> [UInt8]? {
        guard let text else { return nil }
        guard let value = Hex.decode(text) else {
            throw Failure(
                .unusableInput, "\(option): expected an even number of hexadecimal digits")
        }
        return value
    }
}
