// WorldReader: from the store's documents to the typed objects of a world.
import MeridianModel
import MeridianPlanning
import MeridianPorts
import Synchronization

/// Reads worlds, decoding each version of an object once.
final class WorldReader: Sendable {
    private let store: any StorePort
    private let decoded = Mutex<[ObjectKey: Decoded]>([:])

    /// One object as it was decoded; an object that does not decode is remembered as nil.
    private struct Decoded: Sendable {
        let modRevision: Int64
        let object: (any APIObject)?
    }

    /// Kinds that decisions depend on; Events, Namespaces and tokens are none of them.
    static let kinds = Set(Kind.all.map(\.name)).subtracting([Event.kind, Namespace.kind, AccessToken.kind])

    init(store: any StorePort) { self.store = store }

    /// The objects of one consistent read and the revision it was made at.
    ///
    /// `revision`: of the newest state that is known to have been; an older view is refused, since what is
    ///   assigned to nodes from it could not be fenced.
    func read(now: Timestamp, atLeast known: Int64) async throws(StoreError) -> (world: World, revision: Int64) {
        let snapshot = try await store.snapshot(kinds: Self.kinds)
        guard snapshot.revision >= known else {
            throw StoreError(
                .unavailable,
                "the store answered with revision \(snapshot.revision), but had reached \(known). Look again"
            )
        }
        var sorter = KindSorter()
        let decodedBefore = decoded.withLock { $0 }
        var fresh: [ObjectKey: Decoded] = [:]
        fresh.reserveCapacity(snapshot.records.count)
        for record in snapshot.records {
            let entry = decode(record, decodedBefore[record.key])
            fresh[record.key] = entry
            sorter.take(entry.object, record)
        }
        decoded.withLock { $0 = fresh }
        return (sorter.world(now: now), snapshot.revision)
    }

    private func decode(_ record: StoreRecord, _ known: Decoded?) -> Decoded {
        if let known, known.modRevision == record.modRevision { return known }
        var context = DecodingContext()
        let object = Kind.named(record.key.kind)?.read(record.value, &context)
        return Decoded(modRevision: record.modRevision, object: object)
    }
}

/// Collects decoded objects by kind.
private struct KindSorter {
    private var apps: [Stored<App>] = []
    private var revisions: [Stored<Revision>] = []
    private var splits: [Stored<TrafficSplit>] = []
    private var regions: [Stored<Region>] = []
    private var allowlists: [Stored<SyscallAllowlist>] = []
    private var policies: [Stored<EdgePolicy>] = []
    private var secrets: [Stored<Secret>] = []
    private var nodes: [Stored<Node>] = []
    private var runners: [Stored<Runner>] = []
    private var gitSources: [Stored<GitSource>] = []
    private var others: [ObjectKey: any APIObject] = [:]
    private var unreadable: Set<ObjectKey> = []

    mutating func take(_ object: (any APIObject)?, _ record: StoreRecord) {
        switch object {
        case let app as App: apps.append(Stored(app, modRevision: record.modRevision))
        case let revision as Revision: revisions.append(Stored(revision, modRevision: record.modRevision))
        case let split as TrafficSplit: splits.append(Stored(split, modRevision: record.modRevision))
        case let region as Region: regions.append(Stored(region, modRevision: record.modRevision))
        case let allowlist as SyscallAllowlist: allowlists.append(Stored(allowlist, modRevision: record.modRevision))
        case let policy as EdgePolicy: policies.append(Stored(policy, modRevision: record.modRevision))
        case let secret as Secret: secrets.append(Stored(secret, modRevision: record.modRevision))
        case let node as Node: nodes.append(Stored(node, modRevision: record.modRevision))
        case let runner as Runner: runners.append(Stored(runner, modRevision: record.modRevision))
        case let source as GitSource: gitSources.append(Stored(source, modRevision: record.modRevision))
        case let other?: others[record.key] = other
        case nil: unreadable.insert(record.key)
        }
    }

    func world(now: Timestamp) -> World {
        var world = World(now: now)
        world.apps = ObjectTable(apps)
        world.revisions = ObjectTable(revisions)
        world.splits = ObjectTable(splits)
        world.regions = ObjectTable(regions)
        world.allowlists = ObjectTable(allowlists)
        world.policies = ObjectTable(policies)
        world.secrets = ObjectTable(secrets)
        world.nodes = ObjectTable(nodes)
        world.runners = ObjectTable(runners)
        world.gitSources = ObjectTable(gitSources)
        world.others = others
        world.unreadable = unreadable
        return world
    }
}
