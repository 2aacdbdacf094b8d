// Executor: carries out steps; it never decides.
package import MeridianModel
package import MeridianPlanning
package import MeridianPorts

/// What the executor works on.
package struct ExecutorPorts: Sendable {
    package let store: any StorePort
    package let registry: any RegistryPort
    package let builder: any BuilderPort
    package let nodes: [String: any NodePort]
    package let git: any GitPort
    package let writer: any ObjectWriting
    package let sealing: any SealingPort
    package let clock: any ClockPort
    package let random: any RandomPort

    package init(
        store: any StorePort,
        registry: any RegistryPort,
        builder: any BuilderPort,
        nodes: [String: any NodePort],
        git: any GitPort = NoGit(),
        writer: any ObjectWriting = NoWriting(),
        sealing: any SealingPort,
        clock: any ClockPort,
        random: any RandomPort
    ) {
        self.git = git
        self.writer = writer
        self.store = store
        self.registry = registry
        self.builder = builder
        self.nodes = nodes
        self.sealing = sealing
        self.clock = clock
        self.random = random
    }
}

/// How a step went.
package enum StepOutcome: Sendable {
    case done
    /// The world has changed since the plan was made; a new plan says what to do now.
    case stale(String)
    /// It did not work; it is tried again after a while.
    case failed(String)
}

/// Carries out steps, one after another.
///
/// Work that takes long is handed to `start` and goes on beside.
package struct Executor: Sendable {
    let ports: ExecutorPorts
    let state: LoopState
    /// Starts long work; cancelling is by `cancel`.
    let start: @Sendable (ActivityWork) -> Void
    let cancel: @Sendable (ObjectKey) -> Void
    private let recorder: EventRecorder

    /// An executor on `ports` that notes in `state` what it did.
    package init(
        ports: ExecutorPorts,
        state: LoopState,
        start: @escaping @Sendable (ActivityWork) -> Void,
        cancel: @escaping @Sendable (ObjectKey) -> Void
    ) {
        self.ports = ports
        self.state = state
        self.start = start
        self.cancel = cancel
        recorder = EventRecorder(store: ports.store, clock: ports.clock)
    }

    /// The steps' effects, an outcome for each: one step, or writes of different objects.
    package func execute(_ steps: [Step]) async -> [StepOutcome] {
        let writes = steps.compactMap { if case .write(let write) = $0 { write } else { nil } }
        guard writes.count == steps.count else {
            precondition(steps.count == 1, "only writes are executed together")
            return [await execute(steps[0])]
        }
        return await write(writes)
    }

    /// The step's effect.
    package func execute(_ step: Step) async -> StepOutcome {
        do {
            switch step {
            case .createRevision(let revision, let app, let event): try await create(revision, app: app, event)
            case .build(let build): begin(.building, ActivityWork(subject: build.revision, kind: .build(build)))
            case .cancelBuild(let revision):
                cancel(revision)
                state.forget(revision)
            case .checkPort(let check): begin(.checking, ActivityWork(subject: check.revision, kind: .check(check)))
            case .write(let write): return await self.write([write])[0]
            case .delete(let fence): try await commit([.delete(fence.key, .modRevision(fence.modRevision))], events: [])
            case .finishDeletion(let fence): try await finishDeletion(fence)
            case .endRollback(let fence): try await endRollback(fence)
            case .assign(let node, let assignment): try await assign(assignment, to: node)
            case .record(let event): try await commit([], events: [event])
            case .lookAtGit(let look):
                if state.beginLook(look) { start(ActivityWork(subject: look.subject, kind: .look(look))) }
            case .applyGit(let work): try await apply(work)
            case .pruneGit(let work): try await prune(work)
            }
            return .done
        } catch {
            return outcome(of: error)
        }
    }

    private func outcome(of error: any Error) -> StepOutcome {
        switch error {
        case let error as StoreError where error.code == .conflict:
            return .stale(error.message)
        case let error as StoreError where error.code == .leaseNotFound:
            recorder.forgetLease()
            return .stale(error.message)
        case let error as UnopenableSecrets:
            return .stale(error.description)
        default:
            return .failed("\(error)")
        }
    }

    private func begin(_ activity: Activity, _ work: ActivityWork) {
        if state.begin(activity, on: work.subject, uid: work.uid) { start(work) }
    }

    private func create(_ revision: Revision, app: Fence, _ event: EventDraft) async throws {
        var revision = revision
        revision.metadata.uid = ports.random.uuid()
        revision.metadata.generation = 1
        revision.metadata.creationTimestamp = ports.clock.now
        try await commit(
            [
                .check(app.key, .modRevision(app.modRevision)),
                .put(revision.key, revision.encoded(), .absent),
            ],
            events: [event]
        )
    }

    /// Writes of different objects, each a transaction of its own, that come to the disk together.
    private func write(_ writes: [ObjectWrite]) async -> [StepOutcome] {
        var outcomes: [StepOutcome?] = []
        var transactions: [[StoreOperation]] = []
        for write in writes {
            do {
                transactions.append([operation(of: write)] + (try await recorder.operations(for: write.events)))
                outcomes.append(nil)
            } catch {
                outcomes.append(outcome(of: error))
            }
        }
        var answers = await ports.store.commitEach(transactions)[...]
        return zip(writes, outcomes).map { write, outcome in
            if let outcome { return outcome }
            // As many answers as transactions: one for each write without an outcome.
            return note(answers.removeFirst(), of: write)
        }
    }

    private func operation(of write: ObjectWrite) -> StoreOperation {
        guard let replaces = write.replaces else { return .put(write.key, asNew(write.value), .absent) }
        return .put(write.key, write.value, .modRevision(replaces))
    }

    private func note(_ answer: Result<Int64, StoreError>, of write: ObjectWrite) -> StepOutcome {
        switch answer {
        case .success(let revision):
            state.noteRevision(revision)
            if let settled = write.settles { state.forget(settled) }
            return .done
        case .failure(let error):
            return outcome(of: error)
        }
    }

    /// A document of a new object with what the server gives to one.
    private func asNew(_ value: JSONValue) -> JSONValue {
        guard var object = value.object, var metadata = object["metadata"]?.object else { return value }
        metadata["uid"] = .string(ports.random.uuid())
        metadata["generation"] = 1
        metadata["creationTimestamp"] = .string(ports.clock.now.description)
        object["metadata"] = .object(metadata)
        return .object(object)
    }

    private func finishDeletion(_ fence: Fence) async throws {
        guard var app = try await stored(App.self, fence) else { return }
        app.metadata.finalizers.removeAll { $0 == drainFinalizer }
        let expectation = StoreExpectation.modRevision(fence.modRevision)
        let operation: StoreOperation =
            app.metadata.finalizers.isEmpty
            ? .delete(fence.key, expectation) : .put(fence.key, app.encoded(), expectation)
        try await commit([operation], events: [])
    }

    private func endRollback(_ fence: Fence) async throws {
        guard var app = try await stored(App.self, fence) else { return }
        let pinned = app.metadata.annotations[OwnAnnotation.rollbackTo] ?? ""
        app.metadata.annotations[OwnAnnotation.rollbackTo] = nil
        app.metadata.annotations[OwnAnnotation.rollbackFrom] = nil
        let event = EventDraft(
            fence.key,
            uid: fence.uid,
            .normal,
            "RollbackEnded",
            "the rollback to \(pinned) ended: a newer revision is ready"
        )
        try await commit([.put(fence.key, app.encoded(), .modRevision(fence.modRevision))], events: [event])
    }

    /// The object as the fence has it; a later version is a conflict, an object that is gone is nil.
    private func stored<Object: APIObject>(_: Object.Type, _ fence: Fence) async throws -> Object? {
        guard let record = try await ports.store.get(fence.key) else { return nil }
        guard record.modRevision == fence.modRevision else {
            throw StoreError(.conflict, "\(fence.key) was changed meanwhile", key: fence.key)
        }
        var context = DecodingContext()
        return Object.decode(record.value, at: FieldPath(), &context)
    }

    private func assign(_ assignment: NodeAssignment, to node: String) async throws {
        guard let port = ports.nodes[node] else { throw NodeError(.unreachable, "node \(node) is not known here") }
        let opened = try opened(assignment)
        let instance = state.noteTried(assignment, on: node)
        try await port.assign(opened)
        // What is kept is the sealed form: plans and their texts never hold a value of a Secret.
        state.noteAssigned(assignment, to: node, instance: instance)
    }

    /// The assignment with the values of Secrets opened.
    ///
    /// Values that do not open are noted, all at once, so that the next plan does without them.
    private func opened(_ assignment: NodeAssignment) throws -> NodeAssignment {
        var opened = assignment
        var refused: [String] = []
        for index in opened.revisions.indices {
            do throws(SealingError) {
                opened.revisions[index].template = try open(opened.revisions[index].template)
            } catch {
                guard error.code != .unavailable else { throw error }
                refused.append("\(opened.revisions[index].key): \(error.message)")
            }
        }
        for index in opened.certificates.indices {
            do throws(SealingError) {
                opened.certificates[index] = try open(opened.certificates[index])
            } catch {
                guard error.code != .unavailable else { throw error }
                refused.append("the certificate of \(opened.certificates[index].hosts[0]): \(error.message)")
            }
        }
        guard refused.isEmpty else { throw UnopenableSecrets(description: refused.joined(separator: "; ")) }
        return opened
    }

    /// The template with the values of Secrets opened.
    func open(_ template: RunnerTemplate) throws(SealingError) -> RunnerTemplate {
        var template = template
        for (name, value) in template.sealed.sorted(by: { $0.key < $1.key }) {
            template.environment[name] = try open(value)
        }
        template.sealed = [:]
        return template
    }

    private func open(_ certificate: HostCertificate) throws(SealingError) -> HostCertificate {
        var certificate = certificate
        if let chain = certificate.sealed[HostCertificate.chainKey] { certificate.chain = try open(chain) }
        if let key = certificate.sealed[HostCertificate.privateKey] { certificate.key = try open(key) }
        certificate.sealed = [:]
        return certificate
    }

    /// The value; one that does not open is noted.
    private func open(_ value: SealedValue) throws(SealingError) -> String {
        do {
            return try ports.sealing.open(value.text, for: value.owner)
        } catch {
            if error.code != .unavailable { state.noteUnopenable(value.text) }
            throw error
        }
    }

    private func commit(_ operations: [StoreOperation], events: [EventDraft]) async throws(StoreError) {
        let revision = try await ports.store.commit(operations + recorder.operations(for: events))
        state.noteRevision(revision)
    }
}

/// Values of Secrets do not open, which the loop now knows.
private struct UnopenableSecrets: Error, CustomStringConvertible {
    let description: String
}
