// Loop+Deadlines: what happens when a connection's time is up.

extension Loop {
    /// Handles every deadline that has passed and finds the next one.
    ///
    /// Reads one word per descriptor.
    mutating func expire() {
        nextScan = .max
        var soonest = Int64.max
        expire(0..<Int(highest) + 1, &soonest)
        expire(context.descriptorsMax..<context.descriptorsMax + slotCount, &soonest)
        nextScan = min(nextScan, soonest)
        repeatDemands()
        if nextScan != .max { nextScan = max(nextScan, now + Self.scanMillisecondsMin) }
    }

    private mutating func expire(_ places: Range<Int>, _ soonest: inout Int64) {
        for index in places {
            let deadline = tables.deadlines[index]
            guard deadline != 0 else { continue }
            if deadline <= now {
                tables.deadlines[index] = 0
                timeIsUp(Int32(index))
            } else {
                soonest = min(soonest, deadline)
            }
        }
    }

    private mutating func timeIsUp(_ descriptor: Int32) {
        switch at(descriptor).pointee.role {
        case .client: clientTimeIsUp(descriptor)
        case .upstream: upstreamTimeIsUp(descriptor)
        case .free, .listener, .secureListener, .mailbox: return
        }
    }

    private mutating func clientTimeIsUp(_ client: Int32) {
        let connection = at(client)
        let generation = connection.pointee.generation
        switch connection.pointee.phase {
        case .head where connection.pointee.input.count > 0:
            setDeadline(client, now + limits.lingerMilliseconds)
            refuse(client, .headTimeout)
        case .h2: sessionTimeIsUp(client)
        case .parked:
            setDeadline(client, now + limits.lingerMilliseconds)
            unlinkParked(client)
            answer(client, .parkedTimeout)
        case .exchange where bodyMayGoOn(client): return
        case .exchange where now < connection.pointee.requestDeadline:
            setDeadline(client, now + limits.lingerMilliseconds)
            if connection.pointee.request.contains(.isAnswered) {
                closeClient(client)
            } else {
                answer(client, .bodyTooSlow)
            }
        case .exchange where !connection.pointee.request.contains(.isAnswered):
            setDeadline(client, now + limits.lingerMilliseconds)
            answer(client, .responseTimeout)
        default:
            closeClient(client)
        }
        settle(client, generation)
    }

    private mutating func upstreamTimeIsUp(_ upstream: Int32) {
        let connection = at(upstream)
        if connection.pointee.phase == .idle { closeUpstream(upstream) }
        guard connection.pointee.phase == .connecting else { return }
        let client = connection.pointee.peer
        let generation = at(client).pointee.generation
        reroute(client)
        settle(client, generation)
    }
}
