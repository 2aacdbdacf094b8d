// Loop+Exchange: a request and its response under way, and what ends them.
internal import CLinux
internal import Glibc

extension Loop {
    /// Moves the request on towards the runner.
    mutating func pumpRequest(_ client: Int32) {
        let connection = at(client)
        let upstream = connection.pointee.peer
        guard !connection.pointee.request.contains(.isUploadBroken) else { return }
        guard !connection.pointee.body.isDone || at(upstream).pointee.output.count > 0 else { return }
        switch relay(client, upstream) {
        case .done, .blocked, .starved: return
        case .turn: scheduleTurn(client)
        case .ended: closeClient(client)
        case .tooLarge:
            note(.size)
            if connection.pointee.request.contains(.isAnswered) {
                closeClient(client)
            } else {
                answer(client, .bodyTooLarge)
            }
        case .malformed:
            if connection.pointee.request.contains(.isAnswered) {
                closeClient(client)
            } else {
                refuse(client, .badChunk)
            }
        case .sinkBroken:
            // The runner may have answered before it closed: its socket decides.
            connection.pointee.request.insert(.isUploadBroken)
            at(upstream).pointee.readiness.formUnion(.ending)
            if at(upstream).pointee.phase == .responseHead || at(upstream).pointee.phase == .responseBody {
                pumpResponse(upstream)
            }
        }
    }

    /// Moves the response on towards the client.
    mutating func pumpResponse(_ upstream: Int32) {
        let connection = at(upstream)
        let client = connection.pointee.peer
        let generation = at(client).pointee.generation
        while connection.pointee.phase == .responseHead {
            guard takeResponseHead(upstream, client), isSame(client, generation) else { return }
        }
        guard connection.pointee.phase == .responseBody else { return }
        switch relay(upstream, client) {
        case .done: finishResponse(upstream, client)
        case .blocked, .starved: return
        case .turn: scheduleTurn(client)
        case .sinkBroken, .malformed, .tooLarge: closeClient(client)
        case .ended:
            guard connection.pointee.body.endsWithConnection, connection.pointee.readiness.contains(.readEnd) else {
                closeClient(client)
                return
            }
            connection.pointee.body.finish()
            finishResponse(upstream, client)
        }
    }

    /// The response has left the upstream: gives the place back and keeps the connection where it is clean.
    private mutating func finishResponse(_ upstream: Int32, _ client: Int32) {
        let connection = at(upstream)
        let isRequestDone = at(client).pointee.body.isDone && connection.pointee.output.count == 0
        let isClean = connection.pointee.readiness.isDisjoint(with: .ending)
        let mayKeep = connection.pointee.isReusable && isRequestDone && isClean && connection.pointee.input.count == 0
        at(client).pointee.peer = -1
        if mayKeep { keep(upstream) } else { closeUpstream(upstream) }
        releaseRunner(client)
        if !isRequestDone { at(client).pointee.request.remove(.keepsAlive) }
        at(client).pointee.phase = .flushing
        finishFlush(client)
    }

    /// Sends the rest of a complete response and then goes on to what follows it.
    mutating func finishFlush(_ client: Int32) {
        let connection = at(client)
        guard flush(connection) else {
            closeClient(client)
            return
        }
        guard connection.pointee.output.count == 0 else { return }
        pool.takeBack(&connection.pointee.output)
        endRequest(client)
        guard connection.pointee.stream == nil else {
            finishStream(client)
            return
        }
        guard !connection.pointee.isMirror else {
            closeClient(client)
            return
        }
        guard connection.pointee.request.contains(.keepsAlive), !isDraining else {
            closeGracefully(client)
            return
        }
        connection.pointee.request = []
        connection.pointee.phase = .head
        setDeadline(client, now + limits.clientIdleMilliseconds)
    }

    /// The request no longer counts for its target.
    private mutating func endRequest(_ client: Int32) {
        let connection = at(client)
        let target = connection.pointee.target
        dropMirror(connection)
        if target >= 0, connection.pointee.isMirror {
            measureMirror(connection, targets[Int(target)].meter)
            targets[Int(target)].counters.end()
            connection.pointee.target = -1
        } else if target >= 0 {
            measure(connection, targets[Int(target)].meter)
            targets[Int(target)].counters.end()
            connection.pointee.target = -1
        }
        connection.pointee.bytesIn = 0
        connection.pointee.bytesOut = 0
    }

    private func measure(_ connection: UnsafeMutablePointer<Connection>, _ meter: MeterWriter) {
        meter.finish(
            class: Int(connection.pointee.answerClass),
            microseconds: nowMicroseconds - connection.pointee.requestStart
        )
        if connection.pointee.request.contains(.isCold) { meter.add(TargetMeter.coldStarts, 1) }
        meter.add(TargetMeter.bytesIn, connection.pointee.bytesIn)
        meter.add(TargetMeter.bytesOut, connection.pointee.bytesOut)
    }

    /// Ends a connection so that the client can read the last answer even while it still sends.
    private mutating func closeGracefully(_ client: Int32) {
        let connection = at(client)
        let mayStillSend =
            connection.pointee.readiness.contains(.readable) || connection.pointee.input.count > 0
            || !connection.pointee.body.isDone
        guard mayStillSend, shutWriting(connection) else {
            closeClient(client)
            return
        }
        connection.pointee.phase = .lingering
        setDeadline(client, now + limits.lingerMilliseconds)
        discard(client)
    }

    /// Bytes thrown away from one client after its answer; beyond, a reset is deserved.
    static var discardedBytesMax: Int32 { 8 << 20 }

    /// Throws away what a client sends after its answer.
    mutating func discard(_ client: Int32) {
        let connection = at(client)
        pool.takeBack(&connection.pointee.input)
        while connection.pointee.readiness.contains(.readable) {
            pool.lend(to: &connection.pointee.input)
            let outcome = receive(connection)
            connection.pointee.discarded += Int32(connection.pointee.input.count)
            pool.takeBack(&connection.pointee.input)
            let isOver = outcome == .end || outcome == .broken
            if isOver || connection.pointee.discarded > Self.discardedBytesMax {
                closeClient(client)
                return
            }
        }
    }

    /// Drops a client with everything that belongs to it.
    mutating func closeClient(_ client: Int32) {
        let connection = at(client)
        freeSession(connection)
        if connection.pointee.phase == .parked { unlinkParked(client) }
        if connection.pointee.peer >= 0 { closeUpstream(connection.pointee.peer) }
        releaseRunner(client)
        endRequest(client)
        pool.takeBack(&connection.pointee.input)
        pool.takeBack(&connection.pointee.output)
        freeTLS(connection)
        uncountConnection(client)
        connection.pointee.role = .free
        connection.pointee.peer = -1
        tables.deadlines[Int(client)] = 0
        if connection.pointee.readiness.contains(.again) { forgetTurn(client) }
        guard connection.pointee.stream == nil else {
            leaveStream(client)
            return
        }
        guard !connection.pointee.isMirror else {
            leaveMirror(client)
            return
        }
        close(client)
        clientCount -= 1
        clinux_atomic_relaxed_store(counts.words, Int64(clientCount))
    }

    /// Takes a closed client out of the list of turns, before its descriptor can be a new connection's.
    private mutating func forgetTurn(_ client: Int32) {
        at(client).pointee.readiness.remove(.again)
        if firstAgain == client {
            firstAgain = at(client).pointee.nextAgain
            return
        }
        var current = firstAgain
        while current >= 0 {
            if at(current).pointee.nextAgain == client {
                at(current).pointee.nextAgain = at(client).pointee.nextAgain
                return
            }
            current = at(current).pointee.nextAgain
        }
    }
}
