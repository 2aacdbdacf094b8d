// Reconciler: the one loop: read the world, plan, execute, until nothing is left to do; then wait for news.
package import Logging
package import MeridianModel
package import MeridianPlanning
package import MeridianPorts
import Synchronization

/// The loop that makes what is agree with what was declared.
///
/// It is level-triggered: news only says that it is time to look; what to do is planned from a whole, fresh look.
package actor Reconciler {
    private let ports: ExecutorPorts
    private let state: LoopState
    private let executor: Executor
    private let reader: WorldReader
    private let logger: Logger
    private let bell = Bell()

    /// Turns in a row before the loop lets others run and looks at the clock again: a safety against a plan that never
    /// settles; a new app takes about eight.
    private static let turnsMax = 64

    /// A loop on `ports`.
    ///
    /// - Parameter start: starts long work beside the loop, which calls `finish` with its result.
    package init(
        ports: ExecutorPorts, logger: Logger, start: @escaping @Sendable (ActivityWork, Executor) -> Void,
        cancel: @escaping @Sendable (ObjectKey) -> Void
    ) {
        self.ports = ports
        self.logger = logger
        let state = LoopState(nodes: ports.nodes.keys.sorted())
        self.state = state
        reader = WorldReader(store: ports.store)
        let cell = ExecutorCell()
        executor = Executor(
            ports: ports, state: state, start: { work in cell.executor.map { start(work, $0) } }, cancel: cancel)
        cell.set(executor)
    }

    /// The world as it is now, for previews.
    package func world() async throws(StoreError) -> World {
        var (world, _) = try await reader.read(now: ports.clock.now)
        state.complete(&world)
        return world
    }

    /// Looks once, plans once, and executes the plan; answers the plan and how its steps went.
    package func turn() async throws(StoreError) -> (plan: Plan, outcomes: [StepOutcome]) {
        var (world, _) = try await reader.read(now: ports.clock.now)
        state.forgetResults(except: Set(world.revisions.map(\.object.key)))
        state.complete(&world)
        let plan = MeridianPlanning.plan(world)
        var outcomes: [StepOutcome] = []
        for planned in plan.steps {
            // Other work may have gone on across this await; each step is fenced by what it was planned from.
            let outcome = await executor.execute(planned.step)
            note(outcome, of: planned)
            outcomes.append(outcome)
        }
        return (plan, outcomes)
    }

    private func note(_ outcome: StepOutcome, of planned: PlannedStep) {
        switch outcome {
        case .done:
            state.noteSuccess(of: planned.subject)
            logger.debug("step done", metadata: ["step": "\(planned.step.words)", "why": "\(planned.why)"])
        case .stale(let message):
            logger.debug("step is stale", metadata: ["step": "\(planned.step.words)", "reason": "\(message)"])
        case .failed(let message):
            let failures = state.noteFailure(of: planned.subject, now: ports.clock.now)
            logger.warning(
                "step failed",
                metadata: ["step": "\(planned.step.words)", "reason": "\(message)", "failures": "\(failures)"])
        }
    }

    /// Turns until a plan has no steps; answers when to look again at the latest.
    package func settle() async throws(StoreError) -> Timestamp? {
        for _ in 0..<Self.turnsMax {
            let (plan, _) = try await turn()
            if plan.steps.isEmpty { return plan.wakeAt }
        }
        logger.warning("the plan does not settle", metadata: ["turns": "\(Self.turnsMax)"])
        return ports.clock.now + .seconds(1)
    }

    /// Runs the loop until the task is cancelled.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.watchStore() }
            for (name, node) in ports.nodes { group.addTask { await self.follow(node, named: name) } }
            group.addTask { try await self.maintain() }
            group.addTask { try await self.loop() }
            try await group.next()
            group.cancelAll()
        }
    }

    private func loop() async throws {
        while !Task.isCancelled {
            let wakeAt: Timestamp?
            do {
                wakeAt = try await settle()
            } catch {
                logger.error("the store cannot be read", metadata: ["reason": "\(error)"])
                wakeAt = ports.clock.now + Self.storeRetry
            }
            try await bell.wait(until: min(wakeAt ?? .distant, ports.clock.now + Self.fullLook), clock: ports.clock)
        }
    }

    /// A second: a store that failed is tried again soon, since nothing else can be done meanwhile.
    private static let storeRetry = Duration.seconds(1)
    /// Five minutes: news may be lost, and a whole look is cheap.
    private static let fullLook = Duration.seconds(300)
    /// Half a second: a node that restarts is back in that time.
    private static let nodeRetry = Duration.milliseconds(500)
    /// A minute: how late an expired event may go.
    private static let maintenance = Duration.seconds(60)

    /// Tells the loop that something may have changed.
    package nonisolated func wake() { bell.ring() }

    /// Takes the result of long work.
    package nonisolated func finish(_ revision: ObjectKey, _ result: ActivityResult) {
        state.end(revision, result)
        bell.ring()
    }

    /// Takes a node's report, or its silence (nil).
    package nonisolated func note(_ report: NodeReport?, of node: String) {
        if state.noteReport(report, of: node) { bell.ring() }
    }

    private func watchStore() async {
        while !Task.isCancelled {
            do {
                let revision = try await ports.store.snapshot(kinds: []).revision
                bell.ring()
                for try await _ in ports.store.watch(after: revision, kinds: WorldReader.kinds) { bell.ring() }
            } catch is CancellationError {
                return
            } catch {
                // A look at everything follows a gap, so nothing is missed.
                logger.debug("the watch ended", metadata: ["reason": "\(error)"])
            }
            try? await ports.clock.sleep(until: ports.clock.now + Self.nodeRetry)
        }
    }

    private func follow(_ node: any NodePort, named name: String) async {
        while !Task.isCancelled {
            do {
                for try await report in node.reports() { note(report, of: name) }
            } catch is CancellationError {
                return
            } catch {
                logger.debug("node does not answer", metadata: ["node": "\(name)", "reason": "\(error)"])
            }
            note(nil, of: name)
            try? await ports.clock.sleep(until: ports.clock.now + Self.nodeRetry)
        }
    }

    private func maintain() async throws {
        while !Task.isCancelled {
            do {
                try await ports.store.expireLeases()
            } catch {
                logger.warning("expired events could not be removed", metadata: ["reason": "\(error)"])
            }
            try await ports.clock.sleep(until: ports.clock.now + Self.maintenance)
        }
    }
}

extension Timestamp {
    /// Later than any time that is reached.
    fileprivate static let distant = Timestamp(milliseconds: .max)
}

/// Holds the executor for the closure that it calls itself; set once, before anything runs.
private final class ExecutorCell: Sendable {
    private let cell = Mutex<Executor?>(nil)

    var executor: Executor? { cell.withLock { $0 } }

    func set(_ executor: Executor) { cell.withLock { $0 = executor } }
}
