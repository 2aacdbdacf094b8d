// PastRevisions: what a plan's new revisions are compared with: earlier builds and earlier allowlists.
import MeridianModel

/// Syscalls that one line of a plan names; `meridian diff` names them all.
let syscallsNamedMax = 12

/// The revisions of a world, found by what new ones have in common with them.
struct PastRevisions {
    /// The templates of built revisions, by their source.
    private var built: [Digest: [RevisionTemplate]] = [:]
    /// The newest revision of each app, by `namespace/app`.
    private var newest: [String: Revision] = [:]

    init(_ world: World) {
        for stored in world.revisions {
            let revision = stored.object
            let template = revision.spec.template
            if revision.status.conditions.holds("Built"), let source = template.source {
                built[source, default: []].append(template)
            }
            // Sorted by name, in which the number has always five digits: the last one of an app is the newest.
            newest[Self.app(of: revision)] = revision
        }
    }

    private static func app(of revision: Revision) -> String { "\(revision.metadata.namespace)/\(revision.spec.app)" }

    /// Whether the same source and settings were built before.
    func hasBuilt(_ template: RevisionTemplate) -> Bool {
        guard let source = template.source, let others = built[source] else { return false }
        return others.contains { $0.build == template.build && $0.rebuild == template.rebuild }
    }

    /// What a new revision may call that its app's newest one may not, and the reverse; nil where nothing differs or
    /// there is none before.
    func syscallChange(of revision: Revision) -> SyscallChange? {
        guard let before = newest[Self.app(of: revision)], before.key != revision.key else { return nil }
        let change = SyscallChange(from: before.spec.template.syscalls, to: revision.spec.template.syscalls)
        return change.isEmpty ? nil : change
    }
}
