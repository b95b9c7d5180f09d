import CLinux
import Glibc

/// A TCP connection that never blocks: whoever uses it waits with ``Poll``.
public final class Socket {
    /// For ``Poll``.
    public let descriptor: Int32
    /// The peer.
    public let address: SocketAddress

    /// What a read found.
    public enum Received: Equatable, Sendable {
        /// Bytes, at least one.
        case bytes([UInt8])
        /// Nothing yet.
        case nothing
        /// The peer has closed its side.
        case end
    }

    /// Starts connecting; the socket becomes writable once that is decided.
    public init(connectingTo address: SocketAddress) throws(SystemError) {
        let descriptor = unsafe address.storage.withUnsafeBytes { bytes in
            unsafe bootgate_connect_tcp(
                bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), UInt32(bytes.count))
        }
        guard descriptor >= 0 else { throw .current("connect", address.description) }
        self.descriptor = descriptor
        self.address = address
    }

    deinit {
        close(descriptor)
    }

    /// Throws why connecting failed, if it did.
    public func checkConnected() throws(SystemError) {
        let code = bootgate_socket_error(descriptor)
        guard code == 0 else {
            throw SystemError(call: "connect", subject: address.description, code: code)
        }
    }

    /// Sends from the front of `bytes` what the kernel takes at once; returns how many bytes.
    public func send(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        while true {
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                unsafe bootgate_send(descriptor, buffer.baseAddress, buffer.count)
            }
            if sent >= 0 { return sent }
            if errno == EINTR { continue }
            if errno == EAGAIN { return 0 }
            throw .current("send", address.description)
        }
    }

    /// Takes what has arrived, 16 KiB at most.
    public func receive() throws(SystemError) -> Received {
        var failure: SystemError?
        var isEmpty = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 16384) { buffer, filled in
            let got = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            filled = max(0, got)
            if got < 0, errno == EAGAIN || errno == EINTR {
                isEmpty = true
            } else if got < 0 {
                failure = .current("recv", address.description)
            }
        }
        if let failure { throw failure }
        if isEmpty { return .nothing }
        return bytes.isEmpty ? .end : .bytes(bytes)
    }
}

/// Waiting for descriptors.
public enum Poll {
    /// One descriptor and what is hoped for.
    public struct Interest: Sendable {
        /// The descriptor.
        public var descriptor: Int32
        /// Wake when it can be read, or the peer closed.
        public var read: Bool
        /// Wake when it can be written.
        public var write: Bool

        /// Names a descriptor and what is hoped for.
        public init(_ descriptor: Int32, read: Bool, write: Bool) {
            self.descriptor = descriptor
            self.read = read
            self.write = write
        }
    }

    /// What holds for one descriptor now; an error or a hang-up counts as both.
    public struct Readiness: Equatable, Sendable {
        /// It can be read.
        public var read: Bool
        /// It can be written.
        public var write: Bool
    }

    /// Waits until one of `interests` holds or the time is over; one answer for each, in order.
    public static func wait(
        _ interests: [Interest], milliseconds: UInt64
    ) -> [Readiness] {
        var list = interests.map { interest in
            pollfd(
                fd: interest.descriptor,
                events: Int16(
                    (interest.read ? POLLIN : 0) | (interest.write ? POLLOUT : 0)),
                revents: 0)
        }
        let timeout = Int32(min(milliseconds, 3_600_000))
        // Interrupted or failed: nothing is ready, and the caller's own deadline decides.
        if unsafe poll(&list, nfds_t(list.count), timeout) < 0 {
            return interests.map { _ in Readiness(read: false, write: false) }
        }
        return list.map { entry in
            let events = Int32(entry.revents)
            let broken = events & (POLLERR | POLLHUP | POLLNVAL) != 0
            return Readiness(
                read: events & POLLIN != 0 || broken, write: events & POLLOUT != 0 || broken)
        }
    }
}
