// DeletionOracle: whether something may be deleted, judged by the truth at that moment.
import MeridianModel
import MeridianPorts

/// Nothing is deleted that no file asked to delete, and nothing that is in use.
struct DeletionOracle {
    let store: any StorePort

    /// What is wrong with deleting the object; nil where nothing is.
    func fault(in record: StoreRecord) async throws(StoreError) -> String? {
        var context = DecodingContext()
        switch record.key.kind {
        case AppSpec.kind:
            let app = App.decode(record.value, at: FieldPath(), &context)
            return app?.metadata.deletionTimestamp == nil
                ? "\(record.key) was deleted although nobody asked for it" : nil
        case RevisionSpec.kind:
            guard let revision = Revision.decode(record.value, at: FieldPath(), &context) else {
                return "\(record.key) was deleted although it cannot be read"
            }
            return try await fault(in: revision)
        default:
            return "\(record.key) was deleted although it is not Meridian's to delete"
        }
    }

    private func fault(in revision: Revision) async throws(StoreError) -> String? {
        let namespace = revision.metadata.namespace
        let owner = ObjectKey(kind: AppSpec.kind, namespace: namespace, name: revision.spec.app)
        var context = DecodingContext()
        let app = try await store.get(owner).flatMap { App.decode($0.value, at: FieldPath(), &context) }
        guard let app, app.metadata.uid == revision.metadata.ownerReferences.first?.uid,
            app.metadata.deletionTimestamp == nil
        else { return nil }
        let name = revision.metadata.name
        if app.status.servingRevision == name { return "\(revision.key) was deleted while it served" }
        if app.metadata.annotations[OwnAnnotation.rollbackTo] == name {
            return "\(revision.key) was deleted while a rollback named it"
        }
        for record in try await store.snapshot(kinds: [TrafficSplitSpec.kind]).records {
            let split = TrafficSplit.decode(record.value, at: FieldPath(), &context)
            let isNamed = split?.spec.allBackends.contains { $0.revision == name } ?? false
            if isNamed, record.key.namespace == namespace {
                return "\(revision.key) was deleted while \(record.key) named it"
            }
        }
        return nil
    }
}
