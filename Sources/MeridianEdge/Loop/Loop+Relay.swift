// Loop+Relay: moving body bytes from socket to socket, checked, in bounded memory, large ones without a copy.
internal import CLinux
internal import Glibc

/// Why a relay stopped.
enum Relay {
    /// The body is complete and has left the source's input.
    case done
    /// The sink takes no more; its next readiness goes on.
    case blocked
    /// The source has no more; its next readiness goes on.
    case starved
    /// The source ended within the body.
    case ended
    case malformed
    /// The body is larger than the rules of its host allow.
    case tooLarge
    case sinkBroken
    /// The turn's share is used up.
    case turn
}

/// What a read gave.
enum Received {
    case some, wouldBlock, end, broken
}

extension Loop {
    /// Bytes that one relay may read per turn, so that a fast transfer does not hold up the other connections.
    static var turnBytesMax: Int { 1 << 20 }
    /// A body piece up to this size is copied behind its head, which is cheaper than a second buffer for the kernel.
    static var coalescedBytesMax: Int { 4096 }

    /// Moves bytes until one side cannot go on.
    mutating func relay(_ source: Int32, _ sink: Int32) -> Relay {
        let from = at(source)
        let to = at(sink)
        var budget = Self.turnBytesMax
        while true {
            if from.pointee.ready == 0, from.pointee.input.count > 0, !from.pointee.body.isDone {
                check(from, decoding: to.pointee.request.contains(.decodesChunks))
                if from.pointee.body.hasFailed { return .malformed }
                if isBodyTooLarge(from) { return .tooLarge }
                if from.pointee.mirror >= 0 { copyBody(from) }
            }
            if from.pointee.ready > 0 || to.pointee.output.count > 0 {
                guard push(from, to) else { return .sinkBroken }
                if from.pointee.ready > 0 { return .blocked }
            }
            if from.pointee.body.isDone {
                if from.pointee.input.count == 0 { pool.takeBack(&from.pointee.input) }
                return .done
            }
            if from.pointee.input.count > 0 { continue }
            guard from.pointee.readiness.contains(.readable) else {
                returnBuffers(from, to)
                return from.pointee.readiness.contains(.readEnd) ? .ended : .starved
            }
            guard budget > 0 else { return .turn }
            pool.lend(to: &from.pointee.input)
            switch receive(from) {
            case .some: budget -= from.pointee.input.count
            case .wouldBlock: continue
            case .end: from.pointee.readiness.insert(.readEnd)
            case .broken: return .ended
            }
        }
    }

    /// Reads once into the room of a lent input buffer.
    ///
    /// A short read means that the socket is drained, unless its end was announced or what is read is not the
    /// socket itself: TLS gives record by record, a stream chunk by chunk.
    func receive(_ connection: UnsafeMutablePointer<Connection>) -> Received {
        let room = connection.pointee.input.room
        let count = readSocket(connection, connection.pointee.input.free, room)
        if count > 0 {
            connection.pointee.input.end += Int32(count)
            connection.pointee.bytesIn += Int64(count)
            if count < room, connection.pointee.isPlain, !connection.pointee.readiness.contains(.peerEnded) {
                connection.pointee.readiness.remove(.readable)
            }
            return .some
        }
        connection.pointee.readiness.remove(.readable)
        if count == 0 { return .end }
        return count == -Int(EAGAIN) ? .wouldBlock : .broken
    }

    /// Lets the tracker see new input and marks what may go on as ready.
    private func check(_ from: UnsafeMutablePointer<Connection>, decoding: Bool) {
        let count = from.pointee.input.count
        guard decoding, from.pointee.role == .upstream else {
            from.pointee.ready = Int32(from.pointee.body.consume(from.pointee.input.filled, count))
            return
        }
        let (consumed, produced) = from.pointee.body.decode(from.pointee.input.filled, count)
        if consumed < count { from.pointee.isReusable = false }
        from.pointee.ready = Int32(produced)
        from.pointee.input.end = from.pointee.input.start + Int32(produced)
        if produced == 0 { from.pointee.input.drop(0) }
    }

    /// Sends what `to` holds and what is ready in `from`, and keeps in `to` what fits of the rest; false where `to`
    /// is broken.
    private mutating func push(_ from: UnsafeMutablePointer<Connection>, _ to: UnsafeMutablePointer<Connection>) -> Bool
    {
        if to.pointee.output.count > 0, from.pointee.ready > 0, Int(from.pointee.ready) <= Self.coalescedBytesMax {
            absorb(from, to)
        }
        while to.pointee.readiness.contains(.writable), from.pointee.ready > 0 || to.pointee.output.count > 0 {
            guard send(from, to) else { return false }
        }
        if from.pointee.ready > 0 { absorb(from, to) }
        return true
    }

    private func send(_ from: UnsafeMutablePointer<Connection>, _ to: UnsafeMutablePointer<Connection>) -> Bool {
        let held = to.pointee.output.count
        let ready = Int(from.pointee.ready)
        let isPlain = to.pointee.isPlain
        let sent: Int
        if held > 0, ready > 0, isPlain {
            sent = clinux_send_both(
                descriptor(of: to),
                to.pointee.output.filled,
                held,
                from.pointee.input.filled,
                ready
            )
        } else if held > 0 {
            sent = writeSocket(to, to.pointee.output.filled, held)
        } else {
            sent = writeSocket(to, from.pointee.input.filled, ready)
        }
        guard sent >= 0 else {
            to.pointee.readiness.remove(.writable)
            return sent == -Int(EAGAIN)
        }
        to.pointee.bytesOut += Int64(sent)
        if sent < held + ready, isPlain { to.pointee.readiness.remove(.writable) }
        let direct = max(0, sent - held)
        // Bytes that never were in the output cannot be sent a second time.
        if direct > 0 { to.pointee.keepsSent = false }
        to.pointee.output.drop(sent - direct, keeping: to.pointee.keepsSent)
        if direct > 0 {
            from.pointee.input.drop(direct)
            from.pointee.ready -= Int32(direct)
        }
        return true
    }

    /// Copies all ready bytes into the sink's output where they fit.
    private mutating func absorb(_ from: UnsafeMutablePointer<Connection>, _ to: UnsafeMutablePointer<Connection>) {
        let count = Int(from.pointee.ready)
        pool.lend(to: &to.pointee.output)
        if count > to.pointee.output.room, to.pointee.output.start > 0 {
            to.pointee.keepsSent = false
            to.pointee.output.compact()
        }
        guard count <= to.pointee.output.room else { return }
        to.pointee.output.append(from.pointee.input.filled, count)
        from.pointee.input.drop(count)
        from.pointee.ready = 0
    }

    /// Sends what the output of a connection holds, as far as it goes; false where the connection is broken.
    @discardableResult
    func flush(_ to: UnsafeMutablePointer<Connection>) -> Bool {
        while to.pointee.output.count > 0, to.pointee.readiness.contains(.writable) {
            let held = to.pointee.output.count
            let sent = writeSocket(to, to.pointee.output.filled, held)
            if sent < 0 || (sent < held && to.pointee.isPlain) { to.pointee.readiness.remove(.writable) }
            guard sent >= 0 else { return sent == -Int(EAGAIN) }
            to.pointee.bytesOut += Int64(sent)
            to.pointee.output.drop(sent, keeping: to.pointee.keepsSent)
        }
        return true
    }

    /// A stream that waits holds no memory.
    private mutating func returnBuffers(
        _ from: UnsafeMutablePointer<Connection>,
        _ to: UnsafeMutablePointer<Connection>
    ) {
        pool.takeBack(&from.pointee.input)
        if to.pointee.output.count == 0, !to.pointee.keepsSent { pool.takeBack(&to.pointee.output) }
    }
}
