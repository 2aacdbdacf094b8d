// ManagedFields: all managers of an object, in the form that is stored with it.
package import MeridianModel

/// The managers of one object, one entry per identity.
package struct ManagedFields: Hashable, Sendable {
    /// Managers by update that are kept apart, as many as Kubernetes keeps: each controller and tool is one, and more
    /// than these would make the list longer than the object.
    package static let updatersMax = 10
    /// The manager that stands for the oldest updates beyond `updatersMax`.
    package static let ancientName = "ancient-changes"
    /// The manager that stands for everything that was there before the first apply.
    package static let beforeFirstApplyName = "before-first-apply"

    /// In the order of `metadata.managedFields`.
    package private(set) var entries: [ManagedFieldsEntry] = []

    package init() {}

    /// These entries; of two with the same identity the later counts, and entries without fields are left out.
    package init(_ entries: [ManagedFieldsEntry]) {
        let byIdentity = Dictionary(entries.map { ($0.identity, $0) }) { _, later in later }
        self.entries = byIdentity.values.filter { !$0.fields.isEmpty }.sorted { Self.sortKey($0) < Self.sortKey($1) }
    }

    /// Reads `metadata.managedFields` of an object.
    ///
    /// - Throws: `MergeError` with code `malformed`.
    package init(of object: JSONValue) throws(MergeError) {
        var entries: [ManagedFieldsEntry] = []
        for value in object["metadata"]?["managedFields"]?.array ?? [] { entries.append(try ManagedFieldsEntry(value)) }
        self.init(entries)
    }

    package var isEmpty: Bool { entries.isEmpty }

    /// The list as it is stored; nil where nobody owns anything.
    package var json: JSONValue? { isEmpty ? nil : .array(entries.map(\.json)) }

    /// All paths that somebody owns.
    var union: FieldSet { entries.reduce(into: FieldSet()) { $0.formUnion($1.fields) } }

    /// The entry of an identity; setting one without fields, or nil, takes it out.
    package subscript(identity: ManagedFieldsEntry.Identity) -> ManagedFieldsEntry? {
        get { entries.first { $0.identity == identity } }
        set {
            entries.removeAll { $0.identity == identity }
            guard let newValue, !newValue.fields.isEmpty else { return }
            entries.append(newValue)
            entries.sort { Self.sortKey($0) < Self.sortKey($1) }
        }
    }

    private static func sortKey(_ entry: ManagedFieldsEntry) -> (Int, Int64, String, String, String) {
        (
            entry.operation == .apply ? 0 : 1, entry.time.map { $0.milliseconds / 1000 } ?? 0, entry.manager,
            entry.apiVersion, entry.subresource
        )
    }

    /// Takes `fields` away from every entry but the one of `identity`.
    mutating func take(_ fields: FieldSet, for identity: ManagedFieldsEntry.Identity) {
        entries = entries.compactMap { entry in
            guard entry.identity != identity else { return entry }
            var rest = entry
            rest.fields = entry.fields.subtracting(fields)
            return rest.fields.isEmpty ? nil : rest
        }
    }

    /// Every set as today's schema has it.
    func reconciled(_ schema: MergeSchema) -> ManagedFields {
        ManagedFields(
            entries.map { entry in
                var fitted = entry
                fitted.fields = schema.reconciled(entry.fields)
                return fitted
            }
        )
    }

    /// Merges the oldest managers by update into one where there are more than `updatersMax`.
    mutating func capUpdaters() {
        let updaters = entries.filter { $0.operation == .update }
        guard updaters.count > Self.updatersMax else { return }
        let oldest = updaters.prefix(updaters.count - Self.updatersMax + 1)
        var bucket = ManagedFieldsEntry(manager: Self.ancientName, operation: .update, time: oldest.last?.time)
        let former = oldest.contains { $0.identity == bucket.identity } ? nil : self[bucket.identity]
        bucket.fields = oldest.reduce(into: former?.fields ?? FieldSet()) { $0.formUnion($1.fields) }
        let gone = Set(oldest.map(\.identity))
        entries.removeAll { gone.contains($0.identity) }
        self[bucket.identity] = bucket
    }
}
