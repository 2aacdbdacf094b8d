// Loop+Commands: what other threads asked for, carried out between two batches of events.
internal import CLinux
internal import Glibc
internal import MeridianRouting

extension Loop {
    /// Carries out what is in the mailbox; a bare wake-up lets waiting requests be tried.
    mutating func readMailbox() {
        // The counter is not zero, since the descriptor was readable; a failure would only bring the event again.
        _ = clinux_eventfd_clear(mailbox.descriptor)
        for (command, countdown) in mailbox.take() {
            switch command {
            case .table(let table, let targets): adopt(table, targets)
            case .runners(let target, let records, let limit): adopt(records, of: target, limit)
            case .fail(let target, let message):
                ensure(target)
                failParked(target.index, message)
            case .forget(let targets): for target in targets { forget(target) }
            case .drain: drain()
            case .stop:
                isStopped = true
                stopped = countdown
                continue
            }
            countdown.down()
        }
        guard parkedTotal > 0 else { return }
        for target in targetOwners.indices where targetOwners[target] != nil && targets[target].parkedCount > 0 {
            schedulePending(Int32(target))
        }
    }

    /// Serves by another table; takes a time that does not depend on its size.
    private mutating func adopt(_ table: CompiledRouteTable, _ targets: TableTargets) {
        let start = clinux_loop_microseconds()
        reserveTargets(targets.indexEnd)
        slotTargets = targets.indices
        tableTargets = targets
        view = table.view
        self.table = table
        limits = context.limits
        if let standing = table.standing {
            limits.headBytesMax = min(limits.headBytesMax, standing.headBytesMax)
            limits.headMilliseconds = standing.headMilliseconds
        }
        tableSerial &+= 1
        let took = clinux_loop_microseconds() - start
        let longest = max(took, clinux_atomic_relaxed_load(counts.words + 1))
        clinux_atomic_relaxed_store(counts.words + 1, longest)
    }

    /// Makes the target of a slot ready for the table in force; once per target and table.
    mutating func prepare(_ slot: Int32) {
        guard let table, let tableTargets else { preconditionFailure("a slot without its table") }
        let record = tableTargets.records[Int(slot)]
        ensure(record)
        let served = table.regions[Int(slot)]
        targets[Int(record.index)].setAnswerFields(
            region: served.isEmpty ? context.region : served,
            revision: record.name
        )
        targetSerials[Int(record.index)] = tableSerial
    }

    /// Makes sure that a target has its place in this loop.
    private mutating func ensure(_ record: TargetRecord) {
        let index = Int(record.index)
        reserveTargets(index + 1)
        while targetOwners.count <= index { targetOwners.append(nil) }
        guard targetOwners[index] == nil else { return }
        (targets + index).initialize(to: LoopTarget(record))
        targets[index].setAnswerFields(region: context.region, revision: record.name)
        targetOwners[index] = record
    }

    /// Makes room for targets up to an index; untouched pages of large blocks cost nothing.
    private mutating func reserveTargets(_ count: Int) {
        guard count > targetCapacity else { return }
        let capacity = max(count, targetCapacity * 2)
        let grown = UnsafeMutablePointer<LoopTarget>.allocate(capacity: capacity)
        // Only entries with an owner are initialised; those move, the old memory holds nothing afterwards.
        for old in 0..<min(targetCapacity, targetOwners.count) where targetOwners[old] != nil {
            (grown + old).moveInitialize(from: targets + old, count: 1)
        }
        let serials = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity)
        serials.initialize(repeating: 0, count: capacity)
        serials.update(from: targetSerials, count: targetCapacity)
        targets.deallocate()
        targetSerials.deallocate()
        targets = grown
        targetSerials = serials
        targetCapacity = capacity
    }

    private mutating func forget(_ record: TargetRecord) {
        let index = Int(record.index)
        guard index < targetOwners.count, targetOwners[index] === record else { return }
        precondition(targets[index].parkedCount == 0, "a target is forgotten while requests wait for it")
        targets[index].deallocate()
        (targets + index).deinitialize(count: 1)
        targetOwners[index] = nil
        targetSerials[index] = 0
    }

    /// Takes the complete set of a target's runners; those that are gone get no new request.
    private mutating func adopt(_ records: [RunnerRecord], of record: TargetRecord, _ limit: Int64) {
        ensure(record)
        runnerChanges &+= 1
        let target = Int(record.index)
        let old = targets[target].runners
        let fresh = UnsafeMutableBufferPointer<Int32>.allocate(capacity: records.count)
        for (position, wanted) in records.enumerated() {
            let known = old.first { runnerOwners[Int($0)] === wanted }
            fresh.initializeElement(at: position, to: known ?? addRunner(wanted))
        }
        targets[target].runners = fresh
        targets[target].concurrencyMax = limit
        for runner in old where !fresh.contains(runner) { remove(runner) }
        old.deallocate()
        if targets[target].parkedCount > 0 { schedulePending(Int32(target)) }
    }

    private mutating func addRunner(_ record: RunnerRecord) -> Int32 {
        let index = runnerOwners.firstIndex { $0 == nil } ?? runnerOwners.count
        if index == runnerOwners.count { runnerOwners.append(nil) }
        if index >= runnerCapacity {
            let grown = UnsafeMutablePointer<LoopRunner>.allocate(capacity: runnerCapacity * 2)
            // The memory was full up to `index`, so every entry before it is initialised.
            grown.moveInitialize(from: runners, count: runnerCapacity)
            runners.deallocate()
            runners = grown
            runnerCapacity *= 2
        }
        (runners + index).initialize(to: LoopRunner(record, addedAt: runnerChanges))
        runnerOwners[index] = record
        return Int32(index)
    }

    private mutating func remove(_ runner: Int32) {
        runners[Int(runner)].isRemoved = true
        // Held, so that the slot outlives the closing of its last connection.
        runners[Int(runner)].users += 1
        while runners[Int(runner)].firstIdle >= 0 { closeUpstream(runners[Int(runner)].firstIdle) }
        dropUser(of: runner)
    }

    /// Takes what waits in the listeners, closes them and the clients without a request; the others end with their
    /// answers.
    private mutating func drain() {
        isDraining = true
        for descriptor in 0...highest where isListener(descriptor) {
            acceptClients(descriptor)
            at(descriptor).pointee.role = .free
            close(descriptor)
        }
        for descriptor in 0...highest where isIdleClient(descriptor) { closeClient(descriptor) }
        for descriptor in 0...highest where at(descriptor).pointee.role == .client { endSession(descriptor) }
    }

    private func isListener(_ descriptor: Int32) -> Bool {
        at(descriptor).pointee.role == .listener || at(descriptor).pointee.role == .secureListener
    }

    private func isIdleClient(_ descriptor: Int32) -> Bool {
        let connection = at(descriptor).pointee
        return connection.role == .client && connection.phase == .head && connection.input.count == 0
            && !connection.readiness.contains(.readable)
    }

    /// Closes and frees everything; the last thing that a loop does.
    mutating func closeEverything() {
        for descriptor in 0...highest where at(descriptor).pointee.role == .client { closeClient(descriptor) }
        closeMirrors()
        for descriptor in 0...highest {
            switch at(descriptor).pointee.role {
            case .upstream: closeUpstream(descriptor)
            case .listener, .secureListener: close(descriptor)
            case .client, .mailbox, .free: continue
            }
        }
        for index in targetOwners.indices where targetOwners[index] != nil { targets[index].deallocate() }
        targets.deallocate()
        targetSerials.deallocate()
        runners.deallocate()
        pool.deallocate()
        requestHead.fields.deallocate()
        routedFields.deallocate()
        responseHead.fields.deallocate()
        region.deallocate()
        events.deallocate()
        tables.deallocate()
        if ownNamespace >= 0 { close(ownNamespace) }
        if spareDescriptor >= 0 { close(spareDescriptor) }
        close(epoll)
        mailbox.close()
        stopped?.down()
    }
}
