// Loop+Accept: new client connections.
internal import CLinux
internal import Glibc

extension Loop {
    /// Accepts per event, so that a flood of connections does not hold up the open ones.
    static var acceptsPerEventMax: Int { 64 }

    /// Accepts what waits; the listener is level-triggered, so what is left comes again.
    mutating func acceptClients(_ listener: Int32) {
        var address = clinux_address()
        for _ in 0..<Self.acceptsPerEventMax {
            let client = clinux_accept(listener, &address)
            if client == -EMFILE || client == -ENFILE {
                refuseOne(listener)
                return
            }
            // ECONNABORTED and its kin concern one connection only.
            if client == -EAGAIN { return }
            if client >= 0 { take(client, &address, isSecure: at(listener).pointee.role == .secureListener) }
        }
    }

    /// Gives the spare descriptor up to accept and close one connection: a full table must not spin.
    private mutating func refuseOne(_ listener: Int32) {
        guard spareDescriptor >= 0 else { return }
        close(spareDescriptor)
        var address = clinux_address()
        let client = clinux_accept(listener, &address)
        if client >= 0 { refuse(client, .full, isSecure: at(listener).pointee.role == .secureListener) }
        spareDescriptor = clinux_spare_descriptor()
    }

    private mutating func take(_ client: Int32, _ address: inout clinux_address, isSecure: Bool) {
        guard clientCount < limits.connectionsPerLoopMax, !pool.isExhausted, open(client, .client, .head) else {
            if pool.isExhausted { note(.overload) }
            refuse(client, .full, isSecure: isSecure)
            return
        }
        nameClient(client, &address)
        let isBalancer = isTrustedBalancer(&address)
        guard isBalancer || countConnection(client) else {
            uncountConnection(client)
            at(client).pointee.role = .free
            refuse(client, .tooMany, isSecure: isSecure)
            return
        }
        if isSecure {
            at(client).pointee.phase = .handshake
            at(client).pointee.isPlain = false
            at(client).pointee.isSecure = true
            at(client).pointee.tls = context.certificates.accept(client)
        }
        guard clinux_epoll_add_edge(epoll, client, generation) == 0, isSecure == (at(client).pointee.tls != nil) else {
            freeTLS(at(client))
            uncountConnection(client)
            at(client).pointee.role = .free
            close(client)
            return
        }
        if isBalancer { at(client).pointee.phase = .proxyHeader }
        at(client).pointee.readiness = .writable
        at(client).pointee.isFresh = !isSecure
        clientCount += 1
        clinux_atomic_relaxed_store(counts.words, Int64(clientCount))
        setDeadline(client, now + limits.headMilliseconds)
    }

    /// Closes a connection that is not taken.
    private func refuse(_ client: Int32, _ reason: TurnedAway, isSecure: Bool) {
        // An answer in clear would only be taken for a broken handshake.
        if !isSecure { turnAway(client, reason) }
        close(client)
    }

    /// Says why a connection is not taken as well as that can be done without waiting.
    func turnAway(_ client: Int32, _ reason: TurnedAway) {
        // Nobody waits for this answer if it does not fit into an empty socket buffer.
        _ = clinux_send(client, reason.answer.utf8Start, reason.answer.utf8CodeUnitCount)
    }

    /// Where a client's address stands as text.
    func peerText(_ client: Int32) -> Bytes {
        tables.texts + Int(client) * LoopTables.textBytes + Self.requestIDBytesMax
    }

    /// Where the id of a client's current request stands.
    func requestIDText(_ client: Int32) -> Bytes { tables.texts + Int(client) * LoopTables.textBytes }
}

/// Why a connection is not taken.
enum TurnedAway {
    /// The edge has no place for it.
    case full
    /// Its client has too many.
    case tooMany

    var answer: StaticString {
        switch self {
        case .full:
            """
            HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: 59\r\nretry-after: 1\r\n\
            connection: close\r\n\r\nmeridian: this edge has no free connection; try again soon\n
            """
        case .tooMany:
            """
            HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/plain\r\ncontent-length: 74\r\nretry-after: 1\r\n\
            connection: close\r\n\r\nmeridian: this address has too many connections; close some or share them\n
            """
        }
    }
}
