import Glibc

/// One request and its answer over a connection of their own.
public enum Exchange {
    /// Connects, sends `request`, and reads until `isWhole` says so or the peer closes.
    ///
    /// - Throws: `ETIMEDOUT` after `milliseconds` in all, `EFBIG` for more than `limit` bytes.
    public static func run(
        _ request: [UInt8], with address: SocketAddress, atMost limit: Int, milliseconds: UInt64,
        isWhole: ([UInt8]) -> Bool
    ) throws(SystemError) -> [UInt8] {
        let end = Clock.monotonicMilliseconds + milliseconds
        let socket = try Socket(connectingTo: address)
        try wait(for: socket, writing: true, until: end)
        try socket.checkConnected()
        var rest = request[...]
        while !rest.isEmpty {
            rest.removeFirst(try socket.send(rest))
            if !rest.isEmpty { try wait(for: socket, writing: true, until: end) }
        }
        var answer: [UInt8] = []
        while !isWhole(answer) {
            try wait(for: socket, writing: false, until: end)
            switch try socket.receive() {
            case .nothing: continue
            case .end: return answer
            case .bytes(let bytes): answer += bytes
            }
            guard answer.count <= limit else {
                throw SystemError(call: "recv", subject: address.description, code: EFBIG)
            }
        }
        return answer
    }

    private static func wait(
        for socket: Socket, writing: Bool, until end: UInt64
    ) throws(SystemError) {
        let now = Clock.monotonicMilliseconds
        let interest = Poll.Interest(socket.descriptor, read: !writing, write: writing)
        let ready = now < end ? Poll.wait([interest], milliseconds: end - now).first : nil
        guard let ready, ready.read || ready.write else {
            if Clock.monotonicMilliseconds < end { return }
            throw SystemError(
                call: writing ? "connect" : "recv", subject: socket.address.description,
                code: ETIMEDOUT)
        }
    }
}
