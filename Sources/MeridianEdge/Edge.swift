// Edge: accepts requests and routes them to runners; the face of the loops towards the node.
internal import CLinux
internal import Glibc
package import MeridianModel
internal import MeridianRouting
internal import Synchronization

/// An HTTP/1.1 edge.
///
/// Loops run on threads of their own from `start` to `stop`; an edge that is dropped without `stop` goes on serving.
/// Every method may be called from any thread. `async` methods return once every loop has taken the change.
package final class Edge: Sendable {
    private enum Life {
        case fresh
        case running(LoopContext)
        case stopped
    }

    /// How often a drain looks whether the last connection has ended.
    private static let drainPollInterval = Duration.milliseconds(10)

    private let configuration: EdgeConfiguration
    private let demand: @Sendable (RunnerDemand) -> Void
    private let registry = EdgeRegistry()
    private let certificates: Result<CertificateBook, EdgeError>
    private let life = Mutex(Life.fresh)

    /// An edge that is not started yet.
    ///
    /// `demand` is called on a loop's thread when a request waits for a runner, at most once per revision and
    /// `demandRepeatMilliseconds`; it must not block.
    package init(_ configuration: EdgeConfiguration, demand: @escaping @Sendable (RunnerDemand) -> Void) {
        self.configuration = configuration
        self.demand = demand
        certificates = Result { () throws(EdgeError) in
            try CertificateBook(offersH2: true, issuer: configuration.issuer)
        }
    }

    /// Binds every address, starts the loops and gives the bound addresses: the plain ones in the order of the
    /// configuration, then those with TLS.
    ///
    /// Raises the process's soft limit of descriptors to its hard limit. Can be called once.
    package func start() throws(EdgeError) -> [EdgeAddress] {
        let starting = try EdgeStart(configuration, certificates.get(), demand: demand)
        let isFirst = life.withLock { life in
            guard case .fresh = life else { return false }
            life = .running(starting.context)
            return true
        }
        guard isFirst else {
            starting.cancel()
            throw EdgeError(code: .badConfiguration, message: "the edge was started before; make a new one")
        }
        try starting.run()
        return starting.addresses
    }

    /// Validates `table` and swaps it in on every loop; requests under way finish as they began.
    ///
    /// A table that is not newer is ignored. A bad one is refused and the last good one stays in force.
    package func apply(_ table: RouteTable) async throws(EdgeError) {
        let compiled: CompiledRouteTable
        do {
            compiled = try CompiledRouteTable(table)
        } catch {
            throw EdgeError(code: .badRouteTable, message: "table \(table.number) is refused: \(error)")
        }
        _ = await registry.publish(compiled, to: try mailboxes())
    }

    /// Replaces the certificates of all hosts; connections go on with the one that they began with.
    ///
    /// Gives why some are refused; the hosts of those keep the last good one.
    package func setCertificates(_ all: [EdgeCertificate]) -> [EdgeError] {
        switch certificates {
        case .success(let book): book.replace(all)
        case .failure(let error): [error]
        }
    }

    /// Takes the complete set of runners of a revision (`namespace/name`).
    ///
    /// Once it has returned, a runner that is missing gets no new request; what is in flight on it goes on and is
    /// counted by `load`. `concurrencyMax` bounds the requests in flight per runner over all loops; it is at least
    /// 1.
    package func setRunners(_ revision: String, _ endpoints: [RunnerEndpoint], concurrencyMax: Int) async {
        let mailboxes = (try? mailboxes()) ?? []
        await registry.setRunners(revision, endpoints, concurrencyMax: concurrencyMax, mailboxes)
    }

    /// Answers the requests that wait for a revision with 503 and `message`, for example since its runners do not
    /// start.
    package func fail(_ revision: String, message: String) async {
        let mailboxes = (try? mailboxes()) ?? []
        await registry.fail(revision, message, mailboxes)
    }

    /// The counts of this moment; cheap enough for a tick of some milliseconds.
    package func load() -> EdgeLoad { registry.load(connections: connectionCount) }

    /// What was measured since the start, by revision key or address; a target that no table names any more is left out
    /// once its last request is over.
    package func measures() -> [String: TargetMeasures] { registry.measures() }

    /// What was refused since the start, by reason; nothing before it and after `stop`.
    package var refusals: [EdgeRefusal: Int] {
        guard case .running(let context) = life.withLock({ $0 }) else { return [:] }
        return EdgeRefusal.sums(of: context.counts)
    }

    /// The number of the newest table that every loop has taken; 0 before the first.
    package var tableNumber: Int { registry.takenNumber }

    /// The longest that a loop was held up by taking a table.
    package var longestSwap: Duration {
        guard case .running(let context) = life.withLock({ $0 }) else { return .zero }
        return .microseconds(context.counts.reduce(0) { max($0, clinux_atomic_relaxed_load($1.words + 1)) })
    }

    /// Stops accepting, closes idle connections, and returns when the last request is answered or `limit` has passed.
    package func drain(within limit: Duration) async {
        guard case .running(let context) = life.withLock({ $0 }) else { return }
        let countdown = Countdown(context.mailboxes.count)
        for mailbox in context.mailboxes { mailbox.post(.drain, countdown) }
        await countdown.wait()
        let clock = ContinuousClock()
        let end = clock.now + limit
        while connectionCount > 0, clock.now < end {
            // A cancelled drain ends early; `stop` cuts what is left.
            do { try await clock.sleep(for: Self.drainPollInterval) } catch { return }
        }
    }

    /// Closes every connection and ends the loops; returns when they have ended.
    package func stop() async {
        let context = life.withLock { life -> LoopContext? in
            guard case .running(let context) = life else { return nil }
            life = .stopped
            return context
        }
        guard let context else { return }
        let countdown = Countdown(context.mailboxes.count)
        for mailbox in context.mailboxes { mailbox.post(.stop, countdown) }
        await countdown.wait()
    }

    private var connectionCount: Int {
        guard case .running(let context) = life.withLock({ $0 }) else { return 0 }
        return context.counts.reduce(0) { $0 + Int(clinux_atomic_relaxed_load($1.words)) }
    }

    private func mailboxes() throws(EdgeError) -> [LoopMailbox] {
        guard case .running(let context) = life.withLock({ $0 }) else {
            throw EdgeError(code: .notRunning, message: "the edge is not running; call start first")
        }
        return context.mailboxes
    }
}
