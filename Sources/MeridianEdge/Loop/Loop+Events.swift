// Loop+Events: what an event means for a connection, by its phase.
internal import CLinux

extension Loop {
    /// Takes a client's event.
    mutating func clientReady(_ client: Int32, _ events: UInt32) {
        let connection = at(client)
        note(connection, events)
        if events & clinux_event_gone != 0, connection.pointee.phase != .tunnel {
            closeClient(client)
            return
        }
        advance(client)
    }

    /// Goes on with a client as far as its sockets allow, then with its next requests.
    mutating func advance(_ client: Int32) {
        let connection = at(client)
        let generation = connection.pointee.generation
        switch connection.pointee.phase {
        case .proxyHeader: readProxyHeader(client)
        case .handshake: shakeHands(client)
        case .h2: pumpSession(client)
        case .parked:
            // A client that has ended its side while it waits is taken as gone.
            if connection.pointee.readiness.contains(.peerEnded) { closeClient(client) }
        case .exchange:
            pumpRequest(client)
            if isSame(client, generation), connection.pointee.phase == .exchange {
                pumpResponse(connection.pointee.peer)
            }
        case .flushing: finishFlush(client)
        case .lingering: discard(client)
        case .tunnel: pumpTunnel(client)
        default: break
        }
        settle(client, generation)
    }

    /// Takes an upstream's event.
    mutating func upstreamReady(_ upstream: Int32, _ events: UInt32) {
        let connection = at(upstream)
        note(connection, events)
        let client = connection.pointee.peer
        switch connection.pointee.phase {
        case .idle:
            // Readiness to write is old news; anything else means that the runner ended it or broke the protocol.
            if events & ~clinux_event_out != 0 { closeUpstream(upstream) }
        case .connecting:
            let generation = at(client).pointee.generation
            finishConnect(upstream)
            settle(client, generation)
        default: advance(client)
        }
    }

    /// Serves further requests of a client that has become free for them.
    mutating func settle(_ client: Int32, _ generation: UInt32) {
        if isSame(client, generation), at(client).pointee.phase == .head { serve(client) }
    }

    /// Puts a client at the front of the list of those that go on in the next turn.
    mutating func scheduleTurn(_ client: Int32) {
        let connection = at(client)
        guard !connection.pointee.readiness.contains(.again) else { return }
        connection.pointee.readiness.insert(.again)
        connection.pointee.nextAgain = firstAgain
        firstAgain = client
    }

    /// Goes on with the clients that had used up their turn.
    mutating func resumeTurns() {
        var client = firstAgain
        firstAgain = -1
        while client >= 0 {
            let connection = at(client)
            let next = connection.pointee.nextAgain
            connection.pointee.readiness.remove(.again)
            if connection.pointee.role == .client { advance(client) }
            client = next
        }
    }

    private func note(_ connection: UnsafeMutablePointer<Connection>, _ events: UInt32) {
        var readiness = connection.pointee.readiness
        if events & clinux_event_in != 0 { readiness.insert(.readable) }
        if events & clinux_event_out != 0, connection.pointee.phase != .connecting { readiness.insert(.writable) }
        if events & (clinux_event_end | clinux_event_gone) != 0 { readiness.formUnion(.ending) }
        connection.pointee.readiness = readiness
    }
}
