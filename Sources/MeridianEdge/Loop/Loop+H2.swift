// Loop+H2: connections that speak HTTP/2: their bytes, and what becomes of them once the batch is over.
internal import CLinux
internal import Glibc

extension Loop {
    /// Rounds of sending per turn, so that one fast download does not hold up the other connections.
    private static var sendRoundsMax: Int { 16 }
    private static var preface: StaticString { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }

    /// How a plain connection's first bytes compare with HTTP/2's preface (RFC 9113 §3.4); nil: it is not one.
    func prefaceProgress(_ connection: UnsafeMutablePointer<Connection>) -> HeadProgress? {
        let count = min(connection.pointee.input.count, Self.preface.utf8CodeUnitCount)
        guard memcmp(connection.pointee.input.filled, Self.preface.utf8Start, count) == 0 else { return nil }
        return count == Self.preface.utf8CodeUnitCount ? .complete : .incomplete
    }

    /// Goes on with a connection as an HTTP/2 one; what it has sent so far begins with the preface.
    mutating func beginH2(_ carrier: Int32) {
        guard let session = H2Session(carrier: carrier, headBytesMax: limits.headBytesMax) else {
            closeClient(carrier)
            return
        }
        at(carrier).pointee.session = Unmanaged.passRetained(session).toOpaque()
        at(carrier).pointee.phase = .h2
        setDeadline(carrier, now + limits.headMilliseconds)
        pumpSession(carrier)
    }

    /// Takes what the client sent and sends what there is.
    mutating func pumpSession(_ carrier: Int32) {
        let connection = at(carrier)
        let generation = connection.pointee.generation
        guard let session = session(connection) else { preconditionFailure("an HTTP/2 connection without a session") }
        var budget = Self.turnBytesMax
        var isSound = true
        while isSound {
            let count = connection.pointee.input.count
            if count > 0 {
                isSound = session.receive(connection.pointee.input.filled, count, now: now)
                connection.pointee.input.drop(count)
                budget -= count
                carryOut(session)
                guard isSame(carrier, generation), connection.pointee.phase == .h2 else { return }
                refreshDeadline(carrier)
            }
            guard isSound, connection.pointee.readiness.contains(.readable) else { break }
            guard budget > 0 else {
                scheduleTurn(carrier)
                break
            }
            pool.lend(to: &connection.pointee.input)
            switch receive(connection) {
            case .some, .wouldBlock: continue
            case .end, .broken:
                closeClient(carrier)
                return
            }
        }
        pool.takeBack(&connection.pointee.input)
        flushSession(session)
        if !isSound, isSame(carrier, generation) { closeClient(carrier) }
    }

    /// Sends what the sessions gathered in this batch.
    mutating func flushSessions() {
        while !scheduled.isEmpty {
            for session in scheduled.take() { flushSession(session) }
        }
    }

    private mutating func flushSession(_ session: H2Session) {
        let carrier = session.carrier
        let connection = at(carrier)
        // The connection may have been closed, and its descriptor be another's, since the session was scheduled.
        guard connection.pointee.session == Unmanaged.passUnretained(session).toOpaque() else { return }
        let generation = connection.pointee.generation
        for _ in 0..<Self.sendRoundsMax {
            pool.lend(to: &connection.pointee.output)
            connection.pointee.output.compact()
            // Twice, since a header block may come with its first frame.
            while connection.pointee.output.room >= 2 * H2Session.frameBytesMax, let bytes = session.send() {
                guard let base = bytes.baseAddress else { break }
                connection.pointee.output.append(base, bytes.count)
            }
            let isSent = connection.pointee.output.count > 0
            guard flush(connection) else {
                closeClient(carrier)
                return
            }
            carryOut(session)
            guard isSame(carrier, generation) else { return }
            if isSent { refreshDeadline(carrier) }
            guard isSent, connection.pointee.output.count == 0 else { break }
        }
        guard connection.pointee.output.count == 0 else {
            if connection.pointee.readiness.contains(.writable) { scheduleTurn(carrier) }
            return
        }
        pool.takeBack(&connection.pointee.output)
        if session.isOver || (isDraining && session.streams.isEmpty) { closeClient(carrier) }
    }

    /// Carries out what nghttp2's callbacks noted; a stream's own work may bring further notes.
    private mutating func carryOut(_ session: H2Session) {
        while !session.events.isEmpty {
            let events = session.events
            session.events = []
            for event in events {
                switch event {
                case .request(let stream): openStream(stream)
                case .data(let stream): wake(stream, .readable)
                case .drained(let stream): wake(stream, .writable)
                case .closed(let stream): if stream.slot >= 0 { closeClient(stream.slot) }
                }
            }
        }
    }

    private mutating func wake(_ stream: H2Stream, _ readiness: Readiness) {
        guard stream.slot >= 0 else { return }
        at(stream.slot).pointee.readiness.insert(readiness)
        advance(stream.slot)
    }

    private mutating func refreshDeadline(_ carrier: Int32) {
        setDeadline(carrier, now + limits.clientIdleMilliseconds)
    }

    /// A connection on which nothing moved: it stays while the app works on a request of it.
    mutating func sessionTimeIsUp(_ carrier: Int32) {
        guard let session = session(at(carrier)) else { return }
        if session.streams.values.contains(where: { $0.slot >= 0 }) {
            refreshDeadline(carrier)
        } else {
            let generation = at(carrier).pointee.generation
            endSession(carrier)
            if isSame(carrier, generation) { closeClient(carrier) }
        }
    }

    /// Tells a client that no further request is taken; closes the connection where none is under way.
    mutating func endSession(_ carrier: Int32) {
        guard let session = session(at(carrier)) else { return }
        session.shutDown()
        flushSession(session)
    }

    func session(_ connection: UnsafeMutablePointer<Connection>) -> H2Session? {
        connection.pointee.session.map { Unmanaged<H2Session>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Ends an HTTP/2 connection's session with all its streams, before its socket is closed.
    mutating func freeSession(_ connection: UnsafeMutablePointer<Connection>) {
        guard let raw = connection.pointee.session else { return }
        connection.pointee.session = nil
        let session = Unmanaged<H2Session>.fromOpaque(raw).takeRetainedValue()
        for event in session.events {
            // Streams that are closed already but still have their place.
            if case .closed(let stream) = event, stream.slot >= 0 { closeClient(stream.slot) }
        }
        for stream in session.streams.values where stream.slot >= 0 { closeClient(stream.slot) }
    }
}
