// Loop+Tunnels: after 101 bytes flow unseen in both directions until both sides have ended.

extension Loop {
    /// Moves bytes both ways; the end of one side is passed on, the end of both closes the tunnel.
    mutating func pumpTunnel(_ client: Int32) {
        let upstream = at(client).pointee.peer
        guard pump(client, upstream, client), pump(upstream, client, client) else {
            closeClient(client)
            return
        }
        let isOver =
            at(client).pointee.readiness.contains(.writeShut) && at(upstream).pointee.readiness.contains(.writeShut)
        if isOver {
            closeClient(client)
        } else {
            setDeadline(client, now + limits.tunnelIdleMilliseconds)
        }
    }

    /// One direction; false where the tunnel is broken.
    private mutating func pump(_ source: Int32, _ sink: Int32, _ client: Int32) -> Bool {
        switch relay(source, sink) {
        case .done, .blocked, .starved: return true
        case .turn:
            scheduleTurn(client)
            return true
        case .malformed, .tooLarge, .sinkBroken: return false
        case .ended:
            let to = at(sink)
            guard at(source).pointee.readiness.contains(.readEnd) else { return false }
            guard to.pointee.output.count == 0, !to.pointee.readiness.contains(.writeShut) else { return true }
            to.pointee.readiness.insert(.writeShut)
            return shutWriting(to)
        }
    }
}
