// AppSituation: one app with the revisions that are its own, as every question looks at it.
package import MeridianModel

/// One app and what belongs to it.
package struct AppSituation: Sendable {
    package let stored: Stored<App>
    /// The app's own revisions (by owner uid, so never those of an earlier app of the same name), by rising number.
    package let revisions: [Stored<Revision>]
    /// What the newest revision should be made of, or why that cannot be said.
    package let desired: DesiredTemplate
    /// The revisions that passed their port check, by rising number.
    package let readyRevisions: [Revision]

    init(_ stored: Stored<App>, revisions: [Stored<Revision>], desired: DesiredTemplate) {
        self.stored = stored
        self.revisions = revisions
        self.desired = desired
        readyRevisions = revisions.map(\.object).filter {
            $0.status.conditions.holds("Ready") && $0.status.bundle != nil
        }
    }

    package var app: App { stored.object }
    package var key: ObjectKey { app.key }
    package var isDeleting: Bool { app.metadata.deletionTimestamp != nil }
    package var latest: Stored<Revision>? { revisions.last }

    /// The revision that serves, as it was last decided; nil where it is gone or there never was one.
    package var serving: Revision? {
        readyRevisions.first { $0.metadata.name == app.status.servingRevision }
    }

    /// The rollback in force: the revision it chose.
    ///
    /// A newer ready revision than when it was called ends it.
    package var pinned: Revision? {
        guard let name = app.metadata.annotations[OwnAnnotation.rollbackTo] else { return nil }
        let newest = readyRevisions.last?.metadata.name
        let from = app.metadata.annotations[OwnAnnotation.rollbackFrom]
        if let newest, let from, newest > from { return nil }
        return readyRevisions.first { $0.metadata.name == name }
    }

    /// The number in one of Meridian's own annotations; 0 where it is missing or no number.
    package func counter(_ annotation: String) -> Int { app.metadata.annotations[annotation].flatMap(Int.init) ?? 0 }
}

extension World {
    /// Every app with what belongs to it, sorted by namespace and name; apps that cannot be read whole are left out.
    package func situations() -> [AppSituation] {
        var owned: [String: [Stored<Revision>]] = [:]
        for revision in revisions {
            guard let owner = revision.object.metadata.ownerReferences.first?.uid else { continue }
            owned[owner, default: []].append(revision)
        }
        let obscured = obscuredApps
        let allowlists = Allowlists(self)
        return apps.compactMap { app in
            guard !obscured.contains(app.object.key) else { return nil }
            let desired = desiredTemplate(of: app.object, allowlists)
            return AppSituation(app, revisions: owned[app.object.metadata.uid] ?? [], desired: desired)
        }
    }

    /// The apps of which this version cannot read the app itself or a revision.
    ///
    /// They are left as they are: what is known of them is not enough to decide anything.
    var obscuredApps: Set<ObjectKey> {
        Set(
            unreadable.compactMap { key in
                switch key.kind {
                case AppSpec.kind: key
                case RevisionSpec.kind:
                    RevisionName(key.name).map {
                        ObjectKey(kind: AppSpec.kind, namespace: key.namespace, name: $0.app)
                    }
                default: nil
                }
            }
        )
    }
}
