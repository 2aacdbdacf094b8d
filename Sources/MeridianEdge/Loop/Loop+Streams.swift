// Loop+Streams: HTTP/2 streams as clients of their own, beside the connections in the loop's tables.
internal import Glibc

extension Loop {
    /// Gives a stream whose head is complete a place as a client and serves it.
    mutating func openStream(_ stream: H2Stream) {
        guard let slot = takeSlot() else {
            stream.session.refuse(stream)
            return
        }
        let carrier = stream.session.carrier
        generation &+= 1
        at(slot).initialize(to: Connection(generation: generation, role: .client, phase: .head))
        let client = at(slot)
        client.pointee.stream = Unmanaged.passRetained(stream).toOpaque()
        client.pointee.isPlain = false
        client.pointee.isSecure = at(carrier).pointee.isSecure
        client.pointee.address = at(carrier).pointee.address
        client.pointee.peerTextCount = at(carrier).pointee.peerTextCount
        client.pointee.readiness = .both
        memcpy(peerText(slot), peerText(carrier), Self.peerTextBytesMax)
        stream.slot = slot
        setDeadline(slot, now + limits.headMilliseconds)
        serve(slot)
    }

    /// The answer of a stream is complete.
    mutating func finishStream(_ slot: Int32) {
        if let stream = stream(at(slot)) { stream.session.finish(stream) }
        closeClient(slot)
    }

    /// Takes a stream from its place as a client; what is left of its answer still goes out.
    mutating func leaveStream(_ slot: Int32) {
        guard let raw = at(slot).pointee.stream else { return }
        at(slot).pointee.stream = nil
        let stream = Unmanaged<H2Stream>.fromOpaque(raw).takeRetainedValue()
        stream.slot = -1
        stream.session.leave(stream)
        scheduled.add(stream.session)
        freeSlots.append(slot)
    }

    func stream(_ connection: UnsafeMutablePointer<Connection>) -> H2Stream? {
        connection.pointee.stream.map { Unmanaged<H2Stream>.fromOpaque($0).takeUnretainedValue() }
    }

    /// A place behind those of the descriptors; nil where all are taken.
    mutating func takeSlot() -> Int32? {
        if let free = freeSlots.popLast() { return free }
        guard slotCount < LoopTables.streamsMax else { return nil }
        slotCount += 1
        return Int32(context.descriptorsMax + slotCount - 1)
    }
}
