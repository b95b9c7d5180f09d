import Bytes
import CTSS2

/// The library's context: closed when the last handle that came from it is gone.
@safe final class Connection {
    let context: OpaquePointer

    init(transport: String, configuration: String) throws(TPMError) {
        if let fault = unsafe bootgate_tpm_library_fault() {
            throw .library(problem: unsafe String(cString: fault))
        }
        var opened: OpaquePointer?
        let code = unsafe bootgate_tpm_open(transport, configuration, &opened)
        guard code == 0, let context = unsafe opened else {
            throw .command(name: "connecting to \(transport):\(configuration)", code: code)
        }
        unsafe self.context = context
    }

    deinit {
        unsafe bootgate_tpm_close(context)
    }

    /// Throws for any code but success, with the command that was sent last.
    func check(_ code: UInt32) throws(TPMError) {
        guard code == 0 else {
            throw .command(
                name: unsafe String(cString: bootgate_tpm_command(context)), code: code)
        }
    }

    /// The bytes that `fill` writes into memory of `capacity` bytes.
    func bytes(
        capacity: Int, _ fill: (UnsafeMutablePointer<UInt8>, inout Int) -> UInt32
    ) throws(TPMError) -> [UInt8] {
        var code: UInt32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            guard let start = buffer.baseAddress else { return }
            var count = capacity
            code = unsafe fill(start, &count)
            filled = code == 0 ? min(count, capacity) : 0
        }
        try check(code)
        return bytes
    }
}
