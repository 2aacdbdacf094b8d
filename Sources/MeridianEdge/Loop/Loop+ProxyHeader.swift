// Loop+ProxyHeader: connections of trusted balancers, which first say whose they are.
internal import CLinux
internal import Glibc
internal import MeridianModel

extension Loop {
    /// Whether a peer has to begin with a PROXY header.
    func isTrustedBalancer(_ address: inout clinux_address) -> Bool {
        guard !context.proxyRanges.isEmpty else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { memory in
            guard let base = memory.baseAddress else { return false }
            let count = Int(clinux_address_bytes(&address, base))
            let bytes = UnsafeBufferPointer(start: UnsafePointer(base), count: count)
            return context.proxyRanges.contains { $0.contains(bytes) }
        }
    }

    /// Reads the header and not a byte more, since what follows may be TLS; then the connection goes on as any other.
    mutating func readProxyHeader(_ client: Int32) {
        let connection = at(client)
        pool.lend(to: &connection.pointee.input)
        while true {
            switch ProxyHeader(connection.pointee.input.filled, connection.pointee.input.count) {
            case .needs(let count):
                let missing = count - connection.pointee.input.count
                // Past TLS, which has not begun: the header is in clear.
                let got = clinux_receive(client, connection.pointee.input.free, missing)
                guard got > 0 else {
                    connection.pointee.readiness.remove(.readable)
                    if got != -Int(EAGAIN) { closeClient(client) }
                    return
                }
                connection.pointee.input.end += Int32(got)
            case .client(var address):
                nameClient(client, &address)
                beginAfterProxyHeader(client)
                return
            case .own:
                beginAfterProxyHeader(client)
                return
            case .malformed:
                closeClient(client)
                return
            }
        }
    }

    /// Writes down whose a connection is.
    func nameClient(_ client: Int32, _ address: inout clinux_address) {
        at(client).pointee.address = ClientAddress(&address)
        let text = UnsafeMutableRawPointer(peerText(client)).assumingMemoryBound(to: CChar.self)
        at(client).pointee.peerTextCount = UInt8(
            clamping: max(0, clinux_address_text(&address, text, Int32(Self.peerTextBytesMax)))
        )
    }

    private mutating func beginAfterProxyHeader(_ client: Int32) {
        let connection = at(client)
        pool.takeBack(&connection.pointee.input)
        guard countConnection(client) else {
            if !connection.pointee.isSecure { turnAway(client, .tooMany) }
            closeClient(client)
            return
        }
        connection.pointee.phase = connection.pointee.isSecure ? .handshake : .head
        // Edge-triggered: what came with the header is not announced again.
        connection.pointee.readiness.insert(.readable)
        if connection.pointee.isSecure { shakeHands(client) }
    }
}
