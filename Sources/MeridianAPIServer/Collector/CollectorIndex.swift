// CollectorIndex: who owns whom and what stands in which namespace, and which objects the collector must see to.
internal import MeridianModel
internal import MeridianPorts

/// What the collector knows of every stored object, kept up to date event by event.
///
/// A value without a clock or a store: what is to be done follows from what was put in.
struct CollectorIndex {
    /// What matters of one object.
    struct Entry: Equatable {
        let uid: String
        let owners: [OwnerReference]
        let finalizers: [String]
        let isBeingDeleted: Bool

        init(_ object: JSONValue) {
            let metadata = object["metadata"]
            uid = metadata?["uid"]?.string ?? ""
            finalizers = metadata?["finalizers"]?.array?.compactMap(\.string) ?? []
            isBeingDeleted = metadata?["deletionTimestamp"] != nil
            var context = DecodingContext()
            owners = (metadata?["ownerReferences"]?.array ?? []).compactMap {
                OwnerReference.decode($0, at: FieldPath(), &context)
            }
        }
    }

    /// One thing that the collector does next; each is checked again against the stored object before it is done.
    enum Task: Hashable {
        /// Its owners are gone, or its namespace or owner is being deleted.
        case delete(ObjectKey)
        /// What the finalizer waited for is done.
        case removeFinalizer(String, from: ObjectKey)
        /// Its owner goes without it.
        case release(ObjectKey, from: String)
    }

    private(set) var entries: [ObjectKey: Entry] = [:]
    private var keysByUID: [String: ObjectKey] = [:]
    private var dependents: [String: Set<ObjectKey>] = [:]
    private var contents: [String: Set<ObjectKey>] = [:]
    /// Objects that something changed for since they were last looked at.
    private(set) var suspects: Set<ObjectKey> = []

    /// The index of a complete view; everything in it is suspect.
    init(_ records: [StoreRecord] = []) {
        for record in records { put(record.key, Entry(record.value)) }
        suspects = Set(records.map(\.key))
    }

    /// Takes in one change of one object.
    mutating func see(_ key: ObjectKey, _ object: JSONValue?) {
        let old = entries[key]
        remove(key)
        if let object {
            put(key, Entry(object))
            suspects.insert(key)
        }
        // Who waited for this object, or was owned by it, is looked at again.
        if let old, entries[key]?.uid != old.uid { suspects.formUnion(dependents[old.uid] ?? []) }
        for owner in old?.owners ?? [] { if let owner = keysByUID[owner.uid] { suspects.insert(owner) } }
        for owner in entries[key]?.owners ?? [] { if let owner = keysByUID[owner.uid] { suspects.insert(owner) } }
        if !key.namespace.isEmpty { suspects.insert(ObjectKey(kind: NamespaceSpec.kind, name: key.namespace)) }
    }

    /// What is to be done for the suspects, who are then suspect no more.
    mutating func takeTasks() -> [Task] {
        let looked = suspects.sorted()
        suspects = []
        return looked.flatMap(tasks)
    }

    private mutating func put(_ key: ObjectKey, _ entry: Entry) {
        entries[key] = entry
        if !entry.uid.isEmpty { keysByUID[entry.uid] = key }
        for owner in entry.owners { dependents[owner.uid, default: []].insert(key) }
        if !key.namespace.isEmpty { contents[key.namespace, default: []].insert(key) }
    }

    private mutating func remove(_ key: ObjectKey) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        keysByUID[entry.uid] = nil
        for owner in entry.owners {
            dependents[owner.uid]?.remove(key)
            if dependents[owner.uid]?.isEmpty == true { dependents[owner.uid] = nil }
        }
        contents[key.namespace]?.remove(key)
        if contents[key.namespace]?.isEmpty == true { contents[key.namespace] = nil }
    }
}

extension CollectorIndex {
    private func tasks(_ key: ObjectKey) -> [Task] {
        guard let entry = entries[key] else { return [] }
        if entry.isBeingDeleted {
            if entry.finalizers.contains(CollectorFinalizer.orphan) { return orphaning(key, entry) }
            if entry.finalizers.contains(CollectorFinalizer.foreground) { return foreground(key, entry) }
            if entry.finalizers.contains(contentsFinalizer) { return emptying(key) }
            return []
        }
        return Self.isCollected(key) && hasLostOwners(entry) ? [.delete(key)] : []
    }

    /// Every dependent is released first.
    private func orphaning(_ key: ObjectKey, _ entry: Entry) -> [Task] {
        let owned = collectedDependents(of: entry)
        guard owned.isEmpty else { return owned.map { .release($0, from: entry.uid) } }
        return [.removeFinalizer(CollectorFinalizer.orphan, from: key)]
    }

    /// Every dependent is deleted, and those that block their owner's deletion are waited for.
    private func foreground(_ key: ObjectKey, _ entry: Entry) -> [Task] {
        let owned = collectedDependents(of: entry)
        let deletions = owned.filter { entries[$0]?.isBeingDeleted == false }.map { Task.delete($0) }
        let isBlocked = owned.contains { dependent in
            entries[dependent]?.owners.contains { $0.uid == entry.uid && $0.blockOwnerDeletion } == true
        }
        return isBlocked ? deletions : deletions + [.removeFinalizer(CollectorFinalizer.foreground, from: key)]
    }

    /// What stands in a namespace goes before it; Events go last, since the going of the others makes some.
    private func emptying(_ namespace: ObjectKey) -> [Task] {
        let inside = (contents[namespace.name] ?? []).sorted()
        let lasting = inside.filter { $0.kind != Event.kind }
        guard lasting.isEmpty else {
            return lasting.filter { Self.isCollected($0) && entries[$0]?.isBeingDeleted == false }.map { .delete($0) }
        }
        guard inside.isEmpty else { return inside.map { .delete($0) } }
        return [.removeFinalizer(contentsFinalizer, from: namespace)]
    }

    private func collectedDependents(of entry: Entry) -> [ObjectKey] {
        (dependents[entry.uid] ?? []).filter(Self.isCollected).sorted()
    }

    /// Whether an object has owners and none of them is there.
    ///
    /// An owner of a kind that this server does not store cannot be known to be gone, so its dependents stay.
    private func hasLostOwners(_ entry: Entry) -> Bool {
        guard !entry.owners.isEmpty else { return false }
        return entry.owners.allSatisfy { owner in
            let isKnown = [apiVersionText, "v1"].contains(owner.apiVersion) && Self.declared.contains(owner.kind)
            return isKnown && keysByUID[owner.uid] == nil
        }
    }

    /// Whether the collector sees to an object: the loop itself cleans up what Meridian alone writes.
    private static func isCollected(_ key: ObjectKey) -> Bool { declared.contains(key.kind) }

    private static let declared = Set(Kind.all.filter(\.isDeclared).map(\.name))
}
