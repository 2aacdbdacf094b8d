// RunnerSupply: performs what SupplyState decides: starts and stops runners and tells the edge.
package import Logging
package import MeridianModel
package import MeridianPorts
internal import ServiceLifecycle

/// The node's scaler: keeps as many runners of each revision as its requests need.
///
/// All decisions are `SupplyState`'s. This actor brings it events with the edge's load, one after the other, and carries
/// out the actions in tasks of their own, whose outcomes are events again.
package actor RunnerSupply: Service {
    private var state: SupplyState
    private let runners: any RunnerPort
    private let edge: any NodeEdge
    private let launcher: RunnerLauncher
    private let demands: DemandBox
    private let logger: Logger
    private let onChange: @Sendable () -> Void
    /// Not bounded by itself: a runner has at most one of each kind of event under way, a revision one publication.
    private let events: AsyncStream<SupplyEvent>
    private let queue: AsyncStream<SupplyEvent>.Continuation
    private var armedWake: ContinuousClock.Instant?
    private var isShuttingDown = false

    /// A supply that runs once `run` is called.
    ///
    /// The edge puts the revisions that requests wait for into `demands`. `onChange` is called when `runnerReports` or
    /// `troubles` may have changed; it must not block.
    package init(
        runners: any RunnerPort,
        edge: any NodeEdge,
        bundles: any BundleDirectories,
        demands: DemandBox,
        state: SupplyState,
        logger: Logger,
        onChange: @escaping @Sendable () -> Void
    ) {
        self.state = state
        self.runners = runners
        self.edge = edge
        self.demands = demands
        self.logger = logger
        self.onChange = onChange
        launcher = RunnerLauncher(runners: runners, bundles: bundles, logger: logger)
        (events, queue) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// Every runner, sorted by id.
    package var runnerReports: [RunnerReport] { state.runners }

    /// Revisions whose runners fail, sorted by key.
    package var troubles: [RevisionTrouble] { state.troubles }

    /// Hands over what the control plane wants; runners follow it when this has returned.
    ///
    /// Where the list is complete, revisions that are missing lose their runners.
    package nonisolated func assign(_ orders: [RevisionOrder], isComplete: Bool) {
        queue.yield(.assigned(orders, isComplete: isComplete))
    }

    /// Supplies runners until the service is shut down; returns when the last runner is gone.
    package func run() async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.forwardDemands() }
                group.addTask { await self.forwardExits() }
                await handleEvents(&group)
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.queue.yield(.shutDown)
        }
    }

    private func handleEvents(_ group: inout DiscardingTaskGroup) async {
        for await event in events {
            if case .shutDown = event { isShuttingDown = true }
            note(event)
            let now = ContinuousClock.now
            let actions = state.handle(event, load: edge.supplyLoad, at: now)
            for action in actions { perform(action, &group) }
            if event.changesReport || !actions.isEmpty { onChange() }
            if isShuttingDown, state.isEmpty { return }
            armWake(after: now, &group)
        }
    }

    /// Starts carrying out an action; its outcome comes back as an event.
    private func perform(_ action: SupplyAction, _ group: inout DiscardingTaskGroup) {
        switch action {
        case .start(let order, let why):
            logger.info("start runner", metadata: ["runner": "\(order.id)", "why": "\(why)"])
            group.addTask { [launcher, queue] in await launcher.launch(order) { queue.yield($0) } }
        case .pause(let handle, let why):
            logger.info("pause runner", metadata: ["runner": "\(handle.id)", "why": "\(why)"])
            runners.pause(handle)
        case .resume(let handle, let why):
            // In place: the edge hears of it next, and finds it running.
            runners.resume(handle)
            logger.info("resume runner", metadata: ["runner": "\(handle.id)", "why": "\(why)"])
        case .publish(let revision, let handles, let resumed, let concurrencyMax):
            group.addTask { [edge, queue] in
                await edge.setRunners(revision, handles, resumed: resumed, concurrencyMax: concurrencyMax)
                queue.yield(.published(revision: revision))
            }
        case .fail(let revision, let message):
            logger.warning("refuse requests", metadata: ["revision": "\(revision)", "why": "\(message)"])
            group.addTask { [edge] in await edge.fail(revision, message: message) }
        case .stop(let handle, let grace, let why):
            logger.info("stop runner", metadata: ["runner": "\(handle.id)", "why": "\(why)"])
            group.addTask { [runners, queue] in
                await runners.stop(handle, grace: grace)
                queue.yield(.stopped(id: handle.id))
            }
        case .keepReady(let counts):
            // In place, so that an older wish never overtakes a newer one.
            runners.keepReady(counts)
        }
    }

    /// Makes sure that a tick comes in time: a later wake that is armed already gives way.
    private func armWake(after now: ContinuousClock.Instant, _ group: inout DiscardingTaskGroup) {
        guard let wake = state.nextWake(after: now) else { return }
        if let armedWake, armedWake <= wake { return }
        armedWake = wake
        group.addTask {
            do {
                try await Task.sleep(until: wake, tolerance: .milliseconds(5), clock: .continuous)
                await self.wakeUp(wake)
            } catch {
                return  // the supply ends
            }
        }
    }

    /// Only the newest wake ticks, or each one that gave way would tick, and arm the next, for ever.
    private func wakeUp(_ wake: ContinuousClock.Instant) {
        guard armedWake == wake else { return }
        armedWake = nil
        queue.yield(.ticked)
    }

    private func forwardDemands() async {
        for await _ in demands.rings {
            for revision in demands.take() { queue.yield(.demanded(revision: revision)) }
        }
    }

    private func forwardExits() async {
        for await exit in runners.exits { queue.yield(.exited(exit)) }
    }

    private func note(_ event: SupplyEvent) {
        switch event {
        case .exited(let exit):
            logger.warning("runner ended by itself", metadata: ["runner": "\(exit.id)", "how": "\(exit.message)"])
        case .startFailed(let id, let message):
            logger.warning("runner did not start", metadata: ["runner": "\(id)", "why": "\(message)"])
        case .assigned, .demanded, .ticked, .spawned, .becameReady, .published, .stopped, .shutDown:
            break
        }
    }
}

extension SupplyEvent {
    /// Whether runners or troubles may differ after it although nothing is to be done.
    fileprivate var changesReport: Bool {
        switch self {
        case .published, .ticked, .demanded: false
        case .assigned, .spawned, .becameReady, .startFailed, .exited, .stopped, .shutDown: true
        }
    }
}
