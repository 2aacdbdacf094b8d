// SharedBuilds: requests for the same build that come while it runs wait for it instead of building again.
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

/// The builds that run or wait, each with everyone who asked for it.
///
/// A build outlives the task that asked first, so it has a task of its own, which ends when the last asker cancels.
final class SharedBuilds: Sendable {
    typealias Report = @Sendable (BuildProgress) -> Void
    typealias Ended = Result<BuildOutcome, BuildError>

    /// What makes two requests the same build.
    struct Key: Hashable {
        let source: String
        /// Canonical JSON.
        let settings: String
        /// Caches are kept apart by namespace, so builds are too.
        let namespace: String
        let useCache: Bool
    }

    private struct Waiter {
        let report: Report
        let continuation: CheckedContinuation<Ended, Never>
    }

    private struct Build {
        let key: Key
        var waiters: [Int: Waiter] = [:]
        /// Stages so far, told to those who join late; a handful.
        var stages: [BuildProgress] = []
        var task: Task<Void, Never>?
    }

    private struct State {
        var builds: [Int: Build] = [:]
        /// The build that the next request with this key joins; one that nobody wants any more is not joined.
        var current: [Key: Int] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// How many wait for the end of some build now.
    var waiterCount: Int { state.withLock { $0.builds.values.reduce(0) { $0 + $1.waiters.count } } }

    /// Joins the build with this key, or starts it with `body`.
    ///
    /// The last asker who cancels waits until the build has cleaned up after itself; others leave at once.
    func join(
        _ key: Key,
        report: @escaping Report,
        _ body: @escaping @Sendable (@escaping Report) async -> Ended
    ) async throws(BuildError) -> BuildOutcome {
        let waiter = state.withLock { state in
            state.next += 1
            return state.next
        }
        let ended = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enter(key, waiter, Waiter(report: report, continuation: continuation), body)
            }
        } onCancel: {
            leave(waiter)
        }
        return try ended.get()
    }

    private func enter(
        _ key: Key,
        _ id: Int,
        _ waiter: Waiter,
        _ body: @escaping @Sendable (@escaping Report) async -> Ended
    ) {
        let stages: [BuildProgress]? = state.withLock { state in
            // A cancellation after this line finds the waiter.
            if Task.isCancelled { return nil }
            if let number = state.current[key], let build = state.builds[number] {
                state.builds[number]?.waiters[id] = waiter
                return build.stages
            }
            state.next += 1
            let number = state.next
            state.current[key] = number
            state.builds[number] = Build(key: key, waiters: [id: waiter])
            state.builds[number]?.task = Task {
                let ended = await body { self.tell(number, $0) }
                self.finish(number, ended)
            }
            return []
        }
        guard let stages else {
            waiter.continuation.resume(returning: .failure(.cancelled(.source)))
            return
        }
        for stage in stages { waiter.report(stage) }
    }

    private func leave(_ id: Int) {
        let left: Waiter? = state.withLock { state in
            guard let (number, build) = state.builds.first(where: { $0.value.waiters[id] != nil }) else { return nil }
            guard build.waiters.count == 1 else {
                return state.builds[number]?.waiters.removeValue(forKey: id)
            }
            if state.current[build.key] == number { state.current[build.key] = nil }
            build.task?.cancel()
            return nil
        }
        left?.continuation.resume(returning: .failure(.cancelled(.source)))
    }

    private func tell(_ number: Int, _ progress: BuildProgress) {
        let reports = state.withLock { state in
            if case .output = progress {} else { state.builds[number]?.stages.append(progress) }
            return state.builds[number]?.waiters.values.map(\.report) ?? []
        }
        for report in reports { report(progress) }
    }

    private func finish(_ number: Int, _ ended: Ended) {
        let build = state.withLock { state in
            let build = state.builds.removeValue(forKey: number)
            if let build, state.current[build.key] == number { state.current[build.key] = nil }
            return build
        }
        for waiter in build?.waiters.values.map(\.continuation) ?? [] { waiter.resume(returning: ended) }
    }
}
