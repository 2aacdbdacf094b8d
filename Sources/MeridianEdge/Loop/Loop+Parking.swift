// Loop+Parking: requests that wait for a runner, first come first served, within bounds.
internal import MeridianRouting

extension Loop {
    /// Puts a request that found no place into its target's list and tells that a runner is wanted.
    mutating func park(_ client: Int32) {
        let connection = at(client)
        let target = Int(connection.pointee.target)
        let bytes = connection.pointee.input.count
        let isBooked = targets[target].counters.park(
            bytes: Int64(bytes),
            requestsMax: Int64(limits.parkedRequestsMax),
            bytesMax: Int64(limits.parkedBytesMax)
        )
        guard isBooked else {
            answer(client, .parkedFull)
            return
        }
        connection.pointee.phase = .parked
        connection.pointee.parkedBytes = Int32(bytes)
        connection.pointee.parkedAt = runnerChanges
        connection.pointee.next = -1
        connection.pointee.previous = targets[target].lastParked
        if targets[target].lastParked >= 0 {
            at(targets[target].lastParked).pointee.next = client
        } else {
            targets[target].firstParked = client
        }
        targets[target].lastParked = client
        targets[target].parkedCount += 1
        parkedTotal += 1
        nextScan = min(nextScan, now + limits.demandRepeatMilliseconds)
        // A place may have become free between the look for one and the booking.
        if targets[target].runners.count > 0 { schedulePending(Int32(target)) }
        demandIfDue(Int32(target))
    }

    /// Takes a request out of its target's list.
    mutating func unlinkParked(_ client: Int32) {
        let connection = at(client)
        let target = Int(connection.pointee.target)
        let next = connection.pointee.next
        let previous = connection.pointee.previous
        if next >= 0 { at(next).pointee.previous = previous } else { targets[target].lastParked = previous }
        if previous >= 0 { at(previous).pointee.next = next } else { targets[target].firstParked = next }
        targets[target].parkedCount -= 1
        targets[target].counters.unpark(bytes: Int64(connection.pointee.parkedBytes))
        parkedTotal -= 1
        connection.pointee.phase = .head
    }

    /// Lets the waiting requests of a target be tried at the end of the batch, not from within another request's end.
    mutating func schedulePending(_ target: Int32) {
        guard !targets[Int(target)].isPending else { return }
        targets[Int(target)].isPending = true
        targets[Int(target)].nextPending = firstPending
        firstPending = target
    }

    /// Tries the waiting requests of every scheduled target.
    ///
    /// Ends, since each pass serves a request or stops.
    mutating func tryPending() {
        while firstPending >= 0 {
            let target = firstPending
            firstPending = targets[Int(target)].nextPending
            targets[Int(target)].isPending = false
            while targets[Int(target)].firstParked >= 0 {
                let runner = acquire(target)
                guard runner >= 0 else { break }
                unpark(targets[Int(target)].firstParked, runner)
            }
            if targets[Int(target)].parkedCount > 0 { demandIfDue(target) }
        }
    }

    /// Tells again of targets whose requests still wait; called at most once per scan.
    mutating func repeatDemands() {
        guard parkedTotal > 0 else { return }
        for target in targetOwners.indices where targetOwners[target] != nil && targets[target].parkedCount > 0 {
            demandIfDue(Int32(target))
        }
        nextScan = min(nextScan, now + limits.demandRepeatMilliseconds)
    }

    /// Answers every waiting request of a target with 503 and `message`.
    mutating func failParked(_ target: Int32, _ message: String) {
        while targets[Int(target)].firstParked >= 0 {
            let client = targets[Int(target)].firstParked
            let generation = at(client).pointee.generation
            unlinkParked(client)
            answer(client, .failed(message))
            settle(client, generation)
        }
    }

    private mutating func unpark(_ client: Int32, _ runner: Int32) {
        let connection = at(client)
        let generation = connection.pointee.generation
        unlinkParked(client)
        // Cold or warm: the runner came after the request. Counted from the park, modulo 2^32.
        let age = Int32(bitPattern: runners[Int(runner)].addedAt &- connection.pointee.parkedAt)
        if age > 0 { connection.pointee.request.insert(runners[Int(runner)].isResumed ? .isWarm : .isCold) }
        do throws(Refusal) {
            _ = try requestHead.parse(
                connection.pointee.input.filled,
                connection.pointee.input.count,
                targetBytesMax: limits.targetBytesMax
            )
        } catch {
            preconditionFailure("a head that parsed before it was parked no longer does")
        }
        forward(client, runner)
        settle(client, generation)
    }

    private func demandIfDue(_ target: Int32) {
        guard let owner = targetOwners[Int(target)] else { return }
        guard case .revision(let key) = owner.slot else { return }
        guard owner.counters.takeDemand(now: now, interval: limits.demandRepeatMilliseconds) else { return }
        context.demand(RunnerDemand(revision: key))
    }
}
