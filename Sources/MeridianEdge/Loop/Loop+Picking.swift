// Loop+Picking: which runner of a target takes a request, and giving the place back.

extension Loop {
    /// Takes a place on the least busy runner of a target; gives its slot, or -1 where none has a free place.
    ///
    /// Of more than two runners two are drawn and compared, which spreads nearly as well as comparing all. Ejected ones
    /// are passed over as long as another one is there.
    mutating func acquire(_ target: Int32, excluding excluded: Int32 = -1) -> Int32 {
        let list = targets[Int(target)].runners
        let limit = targets[Int(target)].concurrencyMax
        guard list.count > 0 else { return -1 }
        let first: Int
        let second: Int
        if list.count <= 2 {
            first = 0
            second = list.count - 1
        } else {
            let draw = random.next()
            first = Int(draw % UInt64(list.count))
            second = (first + 1 + Int((draw >> 32) % UInt64(list.count - 1))) % list.count
        }
        let chosen = better(list[first], list[second])
        if chosen != excluded, !isEjected(chosen), take(chosen, limit) { return chosen }
        var isAnyWell = false
        for runner in list where runner != excluded && !isEjected(runner) {
            isAnyWell = true
            if runner != chosen, take(runner, limit) { return runner }
        }
        guard !isAnyWell else { return -1 }
        // All that is left is ejected: better than nothing, and the way to find out that it has recovered.
        for runner in list where runner != excluded && take(runner, limit) { return runner }
        return -1
    }

    /// Gives a client's place back and lets a waiting request have it.
    mutating func releaseRunner(_ client: Int32) {
        let connection = at(client)
        let runner = connection.pointee.runner
        guard runner >= 0 else { return }
        connection.pointee.runner = -1
        runners[Int(runner)].counters.release(now: now)
        dropUser(of: runner)
        // The count is read after the place is free, and a request that parks looks for a place after it is counted:
        // one of the two sees the other.
        let target = Int(connection.pointee.target)
        let parked = targets[target].counters.parked
        guard parked > 0 else { return }
        if targets[target].parkedCount > 0 { schedulePending(Int32(target)) }
        if parked > Int64(targets[target].parkedCount) { wakeOtherLoops() }
    }

    /// Ends the use of a runner slot by one connection or request; a removed runner's slot goes with its last user.
    mutating func dropUser(of runner: Int32) {
        runners[Int(runner)].users -= 1
        freeIfUnused(runner)
    }

    /// Frees the slot of a removed runner without users.
    mutating func freeIfUnused(_ runner: Int32) {
        guard runners[Int(runner)].isRemoved, runners[Int(runner)].users == 0 else { return }
        (runners + Int(runner)).deinitialize(count: 1)
        runnerOwners[Int(runner)] = nil
    }

    /// The one that is not ejected, else the less busy one.
    private func better(_ first: Int32, _ second: Int32) -> Int32 {
        guard first != second else { return first }
        guard isEjected(first) == isEjected(second) else { return isEjected(first) ? second : first }
        return runners[Int(second)].counters.inFlight < runners[Int(first)].counters.inFlight ? second : first
    }

    private mutating func take(_ runner: Int32, _ limit: Int64) -> Bool {
        guard runners[Int(runner)].counters.acquire(limit: limit, now: now) else { return false }
        runners[Int(runner)].users += 1
        return true
    }

    private func wakeOtherLoops() {
        for other in context.mailboxes where other !== mailbox { other.wake() }
    }
}
