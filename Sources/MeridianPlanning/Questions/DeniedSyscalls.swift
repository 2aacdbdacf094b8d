// DeniedSyscalls: what is said of a revision whose program made syscalls that its allowlist denies.
import MeridianModel

/// Takes denied syscalls into a revision's status; an event where some of them are new.
///
/// They are only ever added: that a runner of today did not make a call says nothing of the next one.
func noteDenied(
    _ syscalls: [String],
    of revision: Revision,
    in status: inout RevisionStatus,
    now: Timestamp
) -> [EventDraft] {
    let known = Set(status.deniedSyscalls)
    let new = Set(syscalls).subtracting(known).sorted()
    guard !new.isEmpty else { return [] }
    let template = revision.spec.template
    func words(_ names: [String]) -> String {
        DeniedWords.message(names, allowed: template.syscalls, allowlist: template.allowlist)
    }
    status.deniedSyscalls = known.union(new).sorted()
    let condition = Condition("SyscallsDenied", .isTrue, "SyscallDenied", words(status.deniedSyscalls))
    status.conditions = status.conditions.setting([condition], generation: revision.metadata.generation, now: now)
    return [EventDraft(revision.key, uid: revision.metadata.uid, .warning, "SyscallDenied", words(new))]
}

extension World {
    /// The denied syscalls that the nodes report, by revision (`namespace/name`).
    var deniedSyscalls: [String: [String]] {
        let reports = nodeViews.sorted { $0.key < $1.key }.compactMap(\.value.report)
        return Dictionary(reports.flatMap(\.denied).map { ($0.revision, $0.syscalls) }, uniquingKeysWith: +)
    }
}
