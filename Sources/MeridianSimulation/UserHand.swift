// UserHand: carries out what people do on the true store, as the API server would.
import MeridianModel
import MeridianPlanning
import MeridianPorts
import MeridianStore

/// A person with a client; writes are checked against what was read, so that none is lost.
struct UserHand {
    let store: MemoryStore
    let clock: VirtualClock
    let random: SeededRandom

    /// Does it; false where it must wait, because an app of the name is still being deleted.
    func act(_ action: UserAction) async throws(StoreError) -> Bool {
        switch action {
        case .apply(let name, let source, let runnersMin):
            return try await apply(name, source: source, runnersMin: runnersMin)
        case .delete(let name): try await delete(name)
        case .replace(let name, let source):
            if try await app(name) != nil { try await store.commit([.delete(key(AppSpec.kind, name), .any)]) }
            return try await apply(name, source: source, runnersMin: 0)
        case .rollback(let name): try await rollback(name)
        case .restart(let name):
            try await edit(name) { app in
                let number = app.metadata.annotations[OwnAnnotation.restart].flatMap(Int.init) ?? 0
                app.metadata.annotations[OwnAnnotation.restart] = "\(number + 1)"
            }
        case .split(let name, let app, let backends): try await split(name, app, backends)
        case .deleteSplit(let name): try await store.commit([.delete(key(TrafficSplitSpec.kind, name), .any)])
        case .region(let name):
            var region = Region(metadata: newMetadata(name, namespace: ""), spec: RegionSpec())
            region.spec.location = GeoLocation()
            guard try await store.get(region.key) == nil else { return true }
            try await store.commit([.put(region.key, region.encoded(), .absent)])
        }
        return true
    }

    /// Declares a short default allowlist: the built-in one has hundreds of names, which every look would go through.
    func declareAllowlist() async throws(StoreError) {
        let name = SyscallAllowlistSpec.defaultName
        var allowlist = SyscallAllowlist(metadata: newMetadata(name, namespace: ""), spec: SyscallAllowlistSpec())
        allowlist.spec.allow = ["read", "write"]
        try await store.commit([.put(allowlist.key, allowlist.encoded(), .absent)])
    }

    private func apply(_ name: String, source: Int, runnersMin: Int) async throws(StoreError) -> Bool {
        guard let (existing, _) = try await app(name) else {
            var app = App(metadata: newMetadata(name), spec: AppSpec())
            app.metadata.finalizers = [drainFinalizer]
            set(&app, source, runnersMin)
            try await store.commit([.put(app.key, app.encoded(), .absent)])
            return true
        }
        guard existing.metadata.deletionTimestamp == nil else { return false }
        try await edit(name) { app in
            let before = app.spec
            set(&app, source, runnersMin)
            if app.spec != before { app.metadata.generation += 1 }
        }
        return true
    }

    private func set(_ app: inout App, _ source: Int, _ runnersMin: Int) {
        app.spec.source.path = "./app"
        app.spec.source.digest = SimulatedSource.digest(source)
        app.spec.scaling.min = runnersMin
    }

    private func delete(_ name: String) async throws(StoreError) {
        try await edit(name) { app in
            if app.metadata.deletionTimestamp == nil { app.metadata.deletionTimestamp = clock.now }
        }
    }

    /// As `meridian rollback` does: to the newest ready revision older than the one that serves.
    private func rollback(_ name: String) async throws(StoreError) {
        guard let (app, _) = try await app(name) else { return }
        let ready = try await store.snapshot(kinds: [RevisionSpec.kind]).records.compactMap { record in
            var context = DecodingContext()
            return Revision.decode(record.value, at: FieldPath(), &context)
        }.filter { $0.metadata.ownerReferences.first?.uid == app.metadata.uid && $0.status.conditions.holds("Ready") }
        let serving = app.status.servingRevision ?? ""
        guard let target = ready.last(where: { $0.metadata.name < serving }), let newest = ready.last else { return }
        try await edit(name) { app in
            app.metadata.annotations[OwnAnnotation.rollbackTo] = target.metadata.name
            app.metadata.annotations[OwnAnnotation.rollbackFrom] = newest.metadata.name
        }
    }

    private func split(_ name: String, _ app: String, _ backends: [UserAction.Backend]) async throws(StoreError) {
        var split = TrafficSplit(metadata: newMetadata(name), spec: TrafficSplitSpec())
        let record = try await store.get(split.key)
        var context = DecodingContext()
        if let stored = record.flatMap({ TrafficSplit.decode($0.value, at: FieldPath(), &context) }) {
            split = stored
            split.metadata.generation += 1
        }
        split.spec.app = app
        split.spec.hosts = ["\(name).localhost"]
        split.spec.backends = backends.map { backend in
            switch backend {
            case .latest(let weight): SplitBackend(revision: "latest", weight: weight)
            case .first(let weight): SplitBackend(revision: "\(app)-00001", weight: weight)
            case .app(let other, let weight): SplitBackend(app: other, weight: weight)
            }
        }
        let expectation = record.map { StoreExpectation.modRevision($0.modRevision) } ?? .absent
        try await store.commit([.put(split.key, split.encoded(), expectation)])
    }

    // MARK: Reading and writing apps

    private func app(_ name: String) async throws(StoreError) -> (app: App, modRevision: Int64)? {
        guard let record = try await store.get(key(AppSpec.kind, name)) else { return nil }
        var context = DecodingContext()
        return App.decode(record.value, at: FieldPath(), &context).map { ($0, record.modRevision) }
    }

    private func edit(_ name: String, _ change: (inout App) -> Void) async throws(StoreError) {
        guard let (read, modRevision) = try await app(name) else { return }
        var app = read
        change(&app)
        try await store.commit([.put(app.key, app.encoded(), .modRevision(modRevision))])
    }

    private func key(_ kind: String, _ name: String) -> ObjectKey {
        ObjectKey(kind: kind, namespace: "default", name: name)
    }

    private func newMetadata(_ name: String, namespace: String = "default") -> Metadata {
        var metadata = Metadata(name: name, namespace: namespace)
        metadata.uid = "user-\(random.next())"
        metadata.generation = 1
        metadata.creationTimestamp = clock.now
        return metadata
    }
}
