// SimulatedStore: the in-memory store as a control plane sees it through faults; the people's side uses it directly.
import MeridianModel
import MeridianPorts
import MeridianStore
import Synchronization

/// A store port for the control plane that lags, refuses, loses answers and dies, over a store that is always right.
final class SimulatedStore: StorePort {
    fileprivate struct State {
        var draw: Draw
        var isQuiet = false
        var views: [StoreSnapshot] = []
        var failingReads = 0
        /// Keys whose writes are refused, and how often that was tried.
        var refused: Set<ObjectKey> = []
        var refusals = 0
        var writes = 0
    }

    /// How far a stale view may lag, in views: further back is history, which a restart would not see either.
    private static let viewsKept = 6

    let truth: MemoryStore
    private let plan: SimulationCase
    private let gate: EffectGate
    private let findings: Findings
    private let state: Mutex<State>

    init(_ plan: SimulationCase, clock: VirtualClock, gate: EffectGate, findings: Findings) {
        truth = MemoryStore(clock: clock)
        self.plan = plan
        self.gate = gate
        self.findings = findings
        state = Mutex(State(draw: Draw(seed: plan.seed &* 31 &+ 7)))
    }

    /// Commits of the control plane that changed more than Events.
    var writes: Int { state.withLock { $0.writes } }

    /// Commits that were refused because of `refuse`.
    var refusals: Int { state.withLock { $0.refusals } }

    /// Ends all faults but the bug, or lets them begin again.
    func setQuiet(_ isQuiet: Bool) { state.withLock { $0.isQuiet = isQuiet } }

    /// Keeps how things are now as a view that a stale read may answer with.
    func keepView() async throws(StoreError) {
        let kinds = Set(Kind.all.map(\.name)).subtracting([Event.kind])
        let view = try await truth.snapshot(kinds: kinds)
        state.withLock { $0.views = $0.views.suffix(Self.viewsKept - 1) + [view] }
    }

    /// Refuses the control plane's writes of `keys` from now on.
    func refuse(_ keys: Set<ObjectKey>) { state.withLock { $0.refused = keys } }

    /// The next `count` reads of everything fail.
    func failReads(_ count: Int) { state.withLock { $0.failingReads = count } }

    func snapshot(kinds: Set<String>?) async throws(StoreError) -> StoreSnapshot {
        try refuseIfDead()
        let isFailing = state.withLock { state in
            defer { state.failingReads = max(0, state.failingReads - 1) }
            return state.failingReads > 0
        }
        if isFailing {
            guard plan.bug == .failedReadIsEmpty else { throw StoreError(.unavailable, "the disk is not there yet") }
            return try await truth.snapshot(kinds: [NodeSpec.kind, RunnerSpec.kind])
        }
        let view = try await truth.snapshot(kinds: kinds)
        return state.withLock { state in
            guard plan.faults == .staleRead, !state.isQuiet, state.draw.chance(40) else { return view }
            return state.draw.pick(state.views) ?? view
        }
    }

    func get(_ key: ObjectKey) async throws(StoreError) -> StoreRecord? {
        try refuseIfDead()
        return try await truth.get(key)
    }

    func list(
        kind: String,
        namespace: String?,
        after: ObjectKey?,
        limit: Int
    ) async throws(StoreError) -> StorePage {
        try refuseIfDead()
        return try await truth.list(kind: kind, namespace: namespace, after: after, limit: limit)
    }

    func commit(_ operations: [StoreOperation]) async throws(StoreError) -> Int64 {
        try refuseIfDead()
        try refuseIfBroken(operations)
        let fate = state.withLock { $0.fate(plan.faults) }
        if fate == .fails { throw StoreError(.unavailable, "the disk is full") }
        let operations = plan.bug == .unfencedWrites ? operations.map(\.unfenced) : operations
        await watchDeletions(operations)
        let before = try await truth.snapshot(kinds: []).revision
        let revision = try await truth.commit(operations)
        if revision != before, operations.contains(where: { $0.writtenKey.map { $0.kind != Event.kind } ?? false }) {
            state.withLock { $0.writes += 1 }
        }
        if gate.passed() { throw Self.died }
        if fate == .losesAnswer { throw StoreError(.unavailable, "the answer was lost") }
        return revision
    }

    func watch(after: Int64, kinds: Set<String>?) -> AsyncThrowingStream<StoreEvent, any Error> {
        truth.watch(after: after, kinds: kinds)
    }

    func compact(through revision: Int64) async throws(StoreError) { try await truth.compact(through: revision) }

    func grantLease(timeToLive: Duration) async throws(StoreError) -> LeaseID {
        try refuseIfDead()
        return try await truth.grantLease(timeToLive: timeToLive)
    }

    func renewLease(_ lease: LeaseID) async throws(StoreError) { try await truth.renewLease(lease) }
    func revokeLease(_ lease: LeaseID) async throws(StoreError) { try await truth.revokeLease(lease) }
    func expireLeases() async throws(StoreError) { try await truth.expireLeases() }

    private static var died: StoreError { StoreError(.unavailable, "the control plane died") }

    private func refuseIfDead() throws(StoreError) { if gate.isDead { throw Self.died } }

    private func refuseIfBroken(_ operations: [StoreOperation]) throws(StoreError) {
        let isRefused = state.withLock { state in
            guard operations.contains(where: { $0.writtenKey.map(state.refused.contains) ?? false }) else {
                return false
            }
            state.refusals += 1
            return true
        }
        if isRefused { throw StoreError(.refused, "the object is too large") }
    }

    /// Holds each deletion of the control plane against what was asked for.
    private func watchDeletions(_ operations: [StoreOperation]) async {
        for case .delete(let key, let expectation) in operations where key.kind != RunnerSpec.kind {
            do throws(StoreError) {
                guard let record = try await truth.get(key) else { continue }
                if case .modRevision(let wanted) = expectation, wanted != record.modRevision { continue }
                if let words = try await DeletionOracle(store: truth).fault(in: record) { findings.add(words) }
            } catch {
                findings.add("the deletion of \(key) could not be looked at: \(error)")
            }
        }
    }
}

/// What becomes of a commit.
private enum Fate {
    case succeeds
    case fails
    case losesAnswer
}

extension SimulatedStore.State {
    fileprivate mutating func fate(_ faults: FaultClass?) -> Fate {
        guard faults == .partialFailure, !isQuiet else { return .succeeds }
        switch draw.below(10) {
        case 0: return .fails
        case 1: return .losesAnswer
        default: return .succeeds
        }
    }
}

extension StoreOperation {
    /// The key that is written; nil for a check.
    fileprivate var writtenKey: ObjectKey? {
        switch self {
        case .put(let key, _, _, _), .delete(let key, _): key
        case .check: nil
        }
    }

    /// The operation without its check of what it replaces.
    fileprivate var unfenced: StoreOperation {
        switch self {
        case .put(let key, let value, .modRevision, let lease): .put(key, value, .any, lease: lease)
        case .delete(let key, _): .delete(key, .any)
        case .check(let key, _): .check(key, .any)
        case .put: self
        }
    }
}
