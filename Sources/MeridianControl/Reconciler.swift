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
    private let cancel: @Sendable (ObjectKey) -> Void
    private let bell = Bell()
    /// How often in a row turning did not come to an end.
    private var unsettled = 0

    /// Turns in a row before the loop lets others run and looks at the clock again: a safety against a plan that never
    /// settles; a new app takes about eight.
    private static let turnsMax = 64
    /// Writes that wait for the disk together: beyond them one more costs as much as it saves.
    private static let writesMax = 256
    /// Turns that follow each other at once: beyond them it is a stream of news that keeps the loop turning.
    private static let promptTurns = 12
    /// With it the loop takes at most a third of the time of a core while news keeps coming.
    private static let pauseFactor = 2
    /// A quarter of a second: nobody waits longer for a first answer to what they applied because of others.
    private static let pauseMax = Duration.milliseconds(250)

    /// A loop on `ports`.
    ///
    /// `start`: starts long work beside the loop, which calls `finish` with its result.
    package init(
        ports: ExecutorPorts,
        logger: Logger,
        start: @escaping @Sendable (ActivityWork, Executor) -> Void,
        cancel: @escaping @Sendable (ObjectKey) -> Void
    ) {
        self.ports = ports
        self.logger = logger
        self.cancel = cancel
        let state = LoopState(nodes: ports.nodes.keys.sorted())
        self.state = state
        reader = WorldReader(store: ports.store)
        let cell = ExecutorCell()
        executor = Executor(
            ports: ports,
            state: state,
            start: { work in cell.executor.map { start(work, $0) } },
            cancel: cancel
        )
        cell.set(executor)
    }

    /// The world as it is now, for previews.
    package func world() async throws(StoreError) -> World {
        var world = try await read()
        state.complete(&world)
        return world
    }

    private func read() async throws(StoreError) -> World {
        let (world, revision) = try await reader.read(now: ports.clock.now, atLeast: state.revision)
        state.noteRevision(revision)
        return world
    }

    /// Looks once, plans once, and executes the plan; answers the plan and how its steps went.
    package func turn() async throws(StoreError) -> (plan: Plan, outcomes: [StepOutcome]) {
        var world = try await read()
        forgetGone(in: world)
        state.complete(&world)
        let plan = MeridianPlanning.plan(world)
        var outcomes: [StepOutcome] = []
        var troubled: Set<ObjectKey> = []
        var rest = plan.steps[...]
        while let next = rest.first {
            guard !troubled.contains(next.subject) else {
                rest.removeFirst()
                outcomes.append(.stale("an earlier step for \(next.subject) did not go through"))
                continue
            }
            let batch = rest.prefix(Self.together(rest, without: troubled))
            rest.removeFirst(batch.count)
            // Other work may have gone on across this await; each step is fenced by what it was planned from.
            let answers = await executor.execute(batch.map(\.step))
            for (planned, outcome) in zip(batch, answers) where !note(outcome, of: planned, in: world) {
                troubled.insert(planned.subject)
            }
            outcomes += answers
        }
        // Only now: a step that succeeds must not end the back-off of another one for the same object.
        for subject in Set(plan.steps.map(\.subject)).subtracting(troubled) { state.noteSuccess(of: subject) }
        return (plan, outcomes)
    }

    /// How many of the first steps go to the executor at once: the writes up to the next other step, if no two are of the
    /// same object, since a write that fails holds up what follows for its object; else one.
    private static func together(_ steps: ArraySlice<PlannedStep>, without troubled: Set<ObjectKey>) -> Int {
        var subjects = troubled
        let writes = steps.prefix(writesMax).prefix { planned in
            guard case .write = planned.step else { return false }
            return subjects.insert(planned.subject).inserted
        }
        return max(writes.count, 1)
    }

    /// Forgets what belongs to objects that are gone, and ends the work on them.
    private func forgetGone(in world: World) {
        let uids = Dictionary(
            world.revisions.map { ($0.object.key, $0.object.metadata.uid) },
            uniquingKeysWith: { first, _ in first }
        )
        for revision in state.forgetWork(except: uids) { cancel(revision) }
        for subject in state.forgetRepositories(in: world) { cancel(subject) }
        state.forgetFailures(of: world)
    }

    /// Takes in how a step went; answers whether it was done.
    private func note(_ outcome: StepOutcome, of planned: PlannedStep, in world: World) -> Bool {
        switch outcome {
        case .done:
            logger.debug("step done", metadata: ["step": "\(planned.step.words)", "why": "\(planned.why)"])
        case .stale(let message):
            logger.debug("step is stale", metadata: ["step": "\(planned.step.words)", "reason": "\(message)"])
            guard state.noteConflict(of: planned.subject) else { return false }
            return note(.failed("too many conflicts in a row: \(message)"), of: planned, in: world)
        case .failed(let message):
            let failures = state.noteFailure(of: planned.subject, in: world, now: ports.clock.now)
            logger.warning(
                "step failed",
                metadata: ["step": "\(planned.step.words)", "reason": "\(message)", "failures": "\(failures)"]
            )
        }
        return if case .done = outcome { true } else { false }
    }

    /// Turns until a plan has no steps; answers when to look again at the latest.
    package func settle() async throws(StoreError) -> Timestamp? {
        for number in 1...Self.turnsMax {
            let began = ports.clock.now
            let (plan, _) = try await turn()
            if plan.steps.isEmpty {
                unsettled = 0
                return plan.wakeAt
            }
            if number > Self.promptTurns { await pause(after: began) }
        }
        unsettled += 1
        logger.warning("the plan does not settle", metadata: ["turns": "\(Self.turnsMax)", "times": "\(unsettled)"])
        return ports.clock.now + retryDelay(afterFailures: unsettled)
    }

    /// Lets those who bring the news have the processor: what comes meanwhile is looked at in one go, which costs as much
    /// as looking at one piece of it.
    private func pause(after began: Timestamp) async {
        let now = ports.clock.now
        let rest = min((now - began) * Self.pauseFactor, Self.pauseMax)
        // Ends early only when the loop is cancelled, which it then finds by itself.
        if rest > .zero { try? await ports.clock.sleep(until: now + rest) }
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
            let began = ports.clock.now
            do {
                wakeAt = try await settle()
            } catch {
                logger.error("the store cannot be read", metadata: ["reason": "\(error)"])
                wakeAt = ports.clock.now + Self.storeRetry
            }
            await pause(after: began)
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

    /// Takes the result of long work; that for an earlier object of the same name is dropped.
    package nonisolated func finish(_ work: ActivityWork, _ result: WorkResult) {
        switch (work.kind, result) {
        case (.look(let look), .look(let result)): state.endLook(look, result, now: ports.clock.now)
        case (_, .revision(let result)): state.end(work.subject, uid: work.uid, result)
        case (_, .look): preconditionFailure("a look is the result of a look alone")
        }
        bell.ring()
    }

    /// Looks at a repository at once, since a push was announced; false where its object is not known.
    package nonisolated func announcePush(to subject: ObjectKey) -> Bool {
        guard state.announcePush(to: subject) else { return false }
        bell.ring()
        return true
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
