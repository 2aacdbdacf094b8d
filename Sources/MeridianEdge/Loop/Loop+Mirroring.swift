// Loop+Mirroring: copies of requests for another backend, whose answers nobody reads.
internal import CLinux
internal import Glibc
internal import MeridianRouting

extension Loop {
    /// Copies the request whose head has just been parsed, where the draw says so and there is room.
    ///
    /// The copy is a client of its own without a socket: it starts in a later turn, once its whole body is there, so that
    /// the request itself never waits for it.
    mutating func mirror(_ client: Int32, _ plan: Int32, _ view: RouteView) {
        let slot = view.mirror(plan, draw: random.next())
        guard slot >= 0, mirrorCount < limits.mirrorsMax, isSmall(requestHead.framing), requestHead.upgrade < 0,
            let place = takeSlot()
        else { return }
        let target = target(ofSlot: slot)
        generation &+= 1
        at(place).initialize(to: Connection(generation: generation, role: .client, phase: .head))
        mirrorCount += 1
        let from = at(client)
        let copy = at(place)
        copy.pointee.isMirror = true
        copy.pointee.isPlain = false
        copy.pointee.isSecure = from.pointee.isSecure
        copy.pointee.readiness = .writable
        copy.pointee.target = target
        copy.pointee.requestStart = nowMicroseconds
        copy.pointee.requestDeadline = now + view.timeoutMilliseconds(plan)
        targets[Int(target)].counters.begin()
        memcpy(requestIDText(place), requestIDText(client), LoopTables.textBytes)
        copy.pointee.peerTextCount = from.pointee.peerTextCount
        copy.pointee.requestIDCount = from.pointee.requestIDCount
        pool.lend(to: &copy.pointee.input)
        copy.pointee.input.append(from.pointee.input.filled, requestHead.length)
        if requestHead.framing == .none { scheduleTurn(place) } else { from.pointee.mirror = place }
    }

    private func isSmall(_ framing: BodyFraming) -> Bool {
        guard case .length(let count) = framing else { return true }
        return count <= UInt64(max(0, limits.mirrorBytesMax - requestHead.length))
    }

    /// Copies the body bytes that were just checked; a body that grows too large has no copy.
    mutating func copyBody(_ from: UnsafeMutablePointer<Connection>) {
        let place = from.pointee.mirror
        let copy = at(place)
        let count = Int(from.pointee.ready)
        guard copy.pointee.input.count + count <= limits.mirrorBytesMax, count <= copy.pointee.input.room else {
            dropMirror(from)
            return
        }
        copy.pointee.input.append(from.pointee.input.filled, count)
        guard from.pointee.body.isDone else { return }
        from.pointee.mirror = -1
        scheduleTurn(place)
    }

    /// Starts a copy whose head has just been parsed again: one try, on one runner.
    mutating func beginMirror(_ place: Int32) {
        let copy = at(place)
        copy.pointee.request.insert(.isRetried)
        copy.pointee.request.remove(.keepsAlive)
        copy.pointee.attempts = Self.attemptsMax
        setDeadline(place, copy.pointee.requestDeadline)
        let runner = acquire(copy.pointee.target)
        if runner < 0 { park(place) } else { forward(place, runner) }
    }

    /// Drops a copy that still waits for the body of a request that is over.
    mutating func dropMirror(_ connection: UnsafeMutablePointer<Connection>) {
        let place = connection.pointee.mirror
        guard place >= 0 else { return }
        connection.pointee.mirror = -1
        closeClient(place)
    }

    /// Counts a copy that is over; nothing of it counts as a request of the target.
    func measureMirror(_ copy: UnsafeMutablePointer<Connection>, _ meter: MeterWriter) {
        meter.add(TargetMeter.mirrored, 1)
        if copy.pointee.answerClass == 0 || copy.pointee.answerClass == 5 { meter.add(TargetMeter.mirrorsFailed, 1) }
    }

    /// Gives the place of a closed copy back.
    mutating func leaveMirror(_ place: Int32) {
        mirrorCount -= 1
        freeSlots.append(place)
    }

    /// Drops every copy under way.
    mutating func closeMirrors() {
        let first = Int32(context.descriptorsMax)
        for place in first..<first + Int32(slotCount) where at(place).pointee.role == .client {
            if at(place).pointee.isMirror { closeClient(place) }
        }
    }
}
