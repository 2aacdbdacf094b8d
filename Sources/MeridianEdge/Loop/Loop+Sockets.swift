// Loop+Sockets: bytes in and out of one connection, plain, through TLS or an HTTP/2 stream, with one meaning of the results.
internal import CLinux
internal import CTLS
internal import Glibc

extension Loop {
    /// Reads into free memory: bytes, 0 at the end, -EAGAIN where there is nothing now, another -errno where broken.
    @inline(__always)
    func readSocket(_ connection: UnsafeMutablePointer<Connection>, _ bytes: Bytes, _ count: Int) -> Int {
        if connection.pointee.isPlain { return clinux_receive(descriptor(of: connection), bytes, count) }
        if let tls = connection.pointee.tls { return Self.outcome(ctls_read(tls, bytes, count)) }
        // A copy has its whole request from the start.
        if connection.pointee.isMirror { return -Int(EAGAIN) }
        guard let stream = stream(connection) else { preconditionFailure("a connection without a way to read") }
        scheduled.add(stream.session)
        return stream.read(bytes, count)
    }

    /// Writes: bytes taken, -EAGAIN where the socket is full, another -errno where broken.
    @inline(__always)
    func writeSocket(_ connection: UnsafeMutablePointer<Connection>, _ bytes: Bytes, _ count: Int) -> Int {
        if connection.pointee.isPlain { return clinux_send(descriptor(of: connection), bytes, count) }
        if let tls = connection.pointee.tls { return Self.outcome(ctls_write(tls, bytes, count)) }
        if connection.pointee.isMirror { return count }
        guard let stream = stream(connection) else { preconditionFailure("a connection without a way to write") }
        scheduled.add(stream.session)
        return stream.session.write(stream, bytes, count)
    }

    /// Ends the sending side; whether it could be ended.
    func shutWriting(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
        if let tls = connection.pointee.tls { ctls_end(tls) }
        if let stream = stream(connection) {
            stream.session.finish(stream)
            scheduled.add(stream.session)
            return true
        }
        return clinux_shut_writing(descriptor(of: connection)) == 0
    }

    /// Goes on with a TLS handshake; what follows it is the client's first request.
    mutating func shakeHands(_ client: Int32) {
        let connection = at(client)
        guard let tls = connection.pointee.tls else { preconditionFailure("a handshake without TLS") }
        switch ctls_handshake(tls) {
        case 1:
            connection.pointee.phase = .head
            // The last record of the handshake may have brought the request along.
            connection.pointee.readiness.formUnion(.both)
            setDeadline(client, now + limits.headMilliseconds)
            if ctls_is_h2(tls) != 0 { beginH2(client) }
        case Int32(ctls_blocked): connection.pointee.readiness.remove(.readable)
        default: closeClient(client)
        }
    }

    /// Ends a client's TLS, where it has any, before its socket is closed.
    func freeTLS(_ connection: UnsafeMutablePointer<Connection>) {
        guard let tls = connection.pointee.tls else { return }
        ctls_end(tls)
        ctls_free(tls)
        connection.pointee.tls = nil
    }

    @inline(__always)
    func descriptor(of connection: UnsafeMutablePointer<Connection>) -> Int32 {
        Int32(truncatingIfNeeded: connection - tables.connections)
    }

    private static func outcome(_ result: Int) -> Int {
        if result > 0 { return result }
        if result == Int(ctls_blocked) { return -Int(EAGAIN) }
        return result == Int(ctls_ended) ? 0 : -Int(EPROTO)
    }
}
