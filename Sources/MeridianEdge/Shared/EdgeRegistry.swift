// EdgeRegistry: the targets and runners of an edge by name, and the order in which loops learn of changes.
internal import MeridianRouting
internal import Synchronization

/// What the edge knows beside its loops.
///
/// Cold: touched by commands and `load`, never by a request.
final class EdgeRegistry: Sendable {
    private struct Entry {
        let record: TargetRecord
        var runners: [RunnerRecord] = []
    }

    private struct State {
        var entries: [RouteSlot: Entry] = [:]
        var freeIndices: [Int32] = []
        var indexCount: Int32 = 0
        /// The slots of the newest table that was posted.
        var tableSlots: Set<RouteSlot> = []
        /// Kept until every loop has left it, so that a large table is freed here and not on a loop.
        var inForce: (CompiledRouteTable, TableTargets)?
        var postedNumber: Int?
        var takenNumber = 0
        /// Removed runners that may still have requests in flight.
        var retired: [RunnerRecord] = []
        /// Changes that were posted and not yet taken by every loop.
        var changesUnderWay = 0
    }

    /// Targets that a loop forgets in one go: some microseconds of its time.
    private static let forgottenAtOnceMax = 256

    private let state = Mutex(State())

    /// The number of the newest table that every loop has taken; 0 before the first.
    var takenNumber: Int { state.withLock { $0.takenNumber } }

    /// Posts `table` to all loops and waits until they have taken it; false for a table that is not newer.
    func publish(_ table: CompiledRouteTable, to mailboxes: [LoopMailbox]) async -> Bool {
        let posted = state.withLock { state -> (TableTargets, Countdown)? in
            if let posted = state.postedNumber, table.number <= posted { return nil }
            state.postedNumber = table.number
            state.tableSlots = Set(table.slots)
            let targets = TableTargets(table.slots.map { target($0, &state, mailboxes) })
            return (targets, post(.table(table, targets), &state, mailboxes))
        }
        guard let (targets, countdown) = posted else { return false }
        await countdown.wait()
        let left = state.withLock { state -> (CompiledRouteTable, TableTargets)? in
            state.changesUnderWay -= 1
            guard table.number > state.takenNumber else { return nil }
            state.takenNumber = table.number
            defer { state.inForce = (table, targets) }
            return state.inForce
        }
        // Outside the lock: the last reference to a table of many hosts takes milliseconds to go.
        withExtendedLifetime(left) {}
        await forgetUnused(mailboxes)
        return true
    }

    /// Posts the complete set of a revision's runners and waits until all loops have taken it.
    func setRunners(
        _ revision: String,
        _ endpoints: [RunnerEndpoint],
        concurrencyMax: Int,
        _ mailboxes: [LoopMailbox]
    ) async {
        let countdown = state.withLock { state in
            let slot = RouteSlot.revision(revision)
            let record = target(slot, &state, mailboxes)
            let old = state.entries[slot]?.runners ?? []
            var fresh: [RunnerRecord] = []
            for endpoint in endpoints where !fresh.contains(where: { $0.endpoint == endpoint }) {
                fresh.append(old.first { $0.endpoint == endpoint } ?? RunnerRecord(endpoint))
            }
            state.entries[slot]?.runners = fresh
            state.retired += old.filter { removed in !fresh.contains { $0 === removed } }
            record.counters.resetDemand()
            return post(.runners(record, fresh, concurrencyMax: Int64(max(1, concurrencyMax))), &state, mailboxes)
        }
        await finish(countdown)
    }

    /// Lets all loops answer the waiting requests of a revision with 503.
    func fail(_ revision: String, _ message: String, _ mailboxes: [LoopMailbox]) async {
        let countdown = state.withLock { state -> Countdown? in
            guard let entry = state.entries[.revision(revision)] else { return nil }
            entry.record.counters.resetDemand()
            return post(.fail(entry.record, message: message), &state, mailboxes)
        }
        if let countdown { await finish(countdown) }
    }

    /// The counts of this moment.
    func load(connections: Int) -> EdgeLoad {
        state.withLock { state in
            state.retired.removeAll { $0.counters.inFlight == 0 }
            var revisions: [String: EdgeLoad.Revision] = [:]
            var runners: [String: EdgeLoad.Runner] = [:]
            for entry in state.entries.values {
                let counters = entry.record.counters
                if case .revision(let key) = entry.record.slot {
                    revisions[key] = .init(parked: Int(counters.parked), requests: Int(counters.requests))
                }
                for runner in entry.runners { runners[runner.endpoint.id] = load(runner) }
            }
            // A retired runner may share its id with a current one, for example after a change of port.
            for runner in state.retired {
                let own = load(runner)
                let other = runners[runner.endpoint.id]
                runners[runner.endpoint.id] = .init(
                    inFlight: own.inFlight + (other?.inFlight ?? 0),
                    requests: own.requests + (other?.requests ?? 0),
                    lastActivityMilliseconds: max(own.lastActivityMilliseconds, other?.lastActivityMilliseconds ?? 0)
                )
            }
            return EdgeLoad(revisions: revisions, runners: runners, connections: connections)
        }
    }

    /// What was measured of every target that got a request, by revision key or address.
    func measures() -> [String: TargetMeasures] {
        state.withLock { state in
            var measures: [String: TargetMeasures] = [:]
            for entry in state.entries.values { measures[entry.record.key] = entry.record.measures }
            return measures
        }
    }

    private func load(_ runner: RunnerRecord) -> EdgeLoad.Runner {
        .init(
            inFlight: Int(runner.counters.inFlight),
            requests: Int(runner.counters.requests),
            lastActivityMilliseconds: runner.counters.lastActivity
        )
    }

    /// The record of a slot; a new address gets its one runner at once.
    private func target(_ slot: RouteSlot, _ state: inout State, _ mailboxes: [LoopMailbox]) -> TargetRecord {
        if let known = state.entries[slot] { return known.record }
        let index = state.freeIndices.popLast() ?? state.indexCount
        if index == state.indexCount { state.indexCount += 1 }
        let record = TargetRecord(index: index, slot: slot)
        state.entries[slot] = Entry(record: record)
        guard case .address(let address) = slot else { return record }
        let runner = RunnerRecord(address)
        state.entries[slot]?.runners = [runner]
        // Taken before the table that is posted next, since a mailbox keeps the order; nobody needs to wait for it.
        for mailbox in mailboxes { mailbox.post(.runners(record, [runner], concurrencyMax: .max), Countdown(1)) }
        return record
    }

    /// Posts to every loop; the lock around makes the order the same on all of them.
    private func post(_ command: LoopCommand, _ state: inout State, _ mailboxes: [LoopMailbox]) -> Countdown {
        let countdown = Countdown(mailboxes.count)
        state.changesUnderWay += 1
        for mailbox in mailboxes { mailbox.post(command, countdown) }
        return countdown
    }

    private func finish(_ countdown: Countdown) async {
        await countdown.wait()
        state.withLock { $0.changesUnderWay -= 1 }
    }

    /// Drops targets that no table names, that have no runners and no requests.
    ///
    /// Only while no change is under way: then every loop is on the newest table, and `open` cannot rise again.
    private func forgetUnused(_ mailboxes: [LoopMailbox]) async {
        let unused = state.withLock { state -> [TargetRecord] in
            guard state.changesUnderWay == 0 else { return [] }
            let unused = state.entries.filter { slot, entry in
                let isRevision = if case .revision = slot { true } else { false }
                return !state.tableSlots.contains(slot) && (entry.runners.isEmpty || !isRevision)
                    && entry.record.counters.open == 0
            }
            for (slot, entry) in unused {
                state.entries[slot] = nil
                if !entry.runners.isEmpty {
                    for mailbox in mailboxes {
                        mailbox.post(.runners(entry.record, [], concurrencyMax: 1), Countdown(1))
                    }
                }
            }
            return unused.values.map(\.record)
        }
        for start in stride(from: 0, to: unused.count, by: Self.forgottenAtOnceMax) {
            let some = Array(unused[start..<min(start + Self.forgottenAtOnceMax, unused.count)])
            await finish(state.withLock { post(.forget(some), &$0, mailboxes) })
            // Mailboxes that already took these forget nothing twice, so the places may be used again.
            state.withLock { $0.freeIndices += some.map(\.index) }
        }
    }
}
