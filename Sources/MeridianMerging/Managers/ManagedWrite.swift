// ManagedWrite: one client's write to an object of a kind, with the ownership that comes of it.
package import MeridianModel

/// Who writes to which part of an object of a kind, and when.
///
/// The methods take and give whole objects with their `metadata.managedFields`; what they give is not checked, the
/// caller reads it by its kind. Meridian's loop writes status and its own annotations beside this and owns nothing.
package struct ManagedWrite: Sendable {
    /// The manager of kubectl's server-side apply, which may take over what its client-side apply wrote.
    private static let kubectlName = "kubectl"

    private let kind: Kind
    private let part: ObjectPart
    private let manager: String
    private let now: Timestamp

    /// A write by `manager`; times are stored in whole seconds.
    package init(kind: Kind, part: ObjectPart = .main, manager: String, now: Timestamp) {
        self.kind = kind
        self.part = part
        self.manager = manager
        self.now = Timestamp(milliseconds: now.milliseconds / 1000 * 1000)
    }

    /// The rules for this part of an object; the other part is that of `live`, since only whole objects can be read.
    private func ownership(_ live: JSONValue?) -> FieldOwnership {
        FieldOwnership(schema: .of(kind), untracked: ObjectPart.untracked) { [kind, part] object in
            var context = DecodingContext()
            let whole = part == .main ? object : part.assembled(object, over: live, ManagedFields())
            guard let value = kind.read(whole, &context)?.encoded(explicit: true) else { return nil }
            return part.shared(of: value, kind: kind)
        }
    }

    private func entry(_ operation: ManagedFieldsEntry.Operation, _ manager: String? = nil) -> ManagedFieldsEntry {
        ManagedFieldsEntry(
            manager: manager ?? self.manager,
            operation: operation,
            subresource: part.rawValue,
            time: now
        )
    }

    /// `live`, nil where there is none, after a server-side apply of `config`, which may say only what it cares about.
    ///
    /// - Throws: `MergeError`: `conflict` where others own fields that would change and `isForced` is false; `invalid`
    ///   for list items that cannot be told apart; `malformed` where the stored managers cannot be read.
    package func applying(_ config: JSONValue, to live: JSONValue?, isForced: Bool) throws(MergeError) -> JSONValue {
        let wish = part.shared(of: config, kind: kind)
        let base = live.map { part.shared(of: $0, kind: kind) }
        let ownership = ownership(live)
        var managers = try live.map { live throws(MergeError) in try ManagedFields(of: live) } ?? ManagedFields()
        if let base, managers.isEmpty {
            let everyone = entry(.update, ManagedFields.beforeFirstApplyName)
            managers = try ownership.update(from: nil, to: base, managers, as: everyone)
        }
        let result: FieldOwnership.Managed
        do throws(MergeError) {
            result = try ownership.apply(wish, to: base, managers, as: entry(.apply), isForced: isForced)
        } catch {
            guard let live, error.code == .conflict, manager == Self.kubectlName, part == .main else { throw error }
            let rest = try unexplained(error.conflicts, live: live, ownership)
            guard rest.isEmpty else { throw MergeError(conflicts: rest) }
            result = try ownership.apply(wish, to: base, managers, as: entry(.apply), isForced: true)
        }
        return part.assembled(result.object, over: live, result.managers)
    }

    /// `new` as an object that did not exist.
    package func creating(_ new: JSONValue) throws(MergeError) -> JSONValue {
        let wish = part.shared(of: new, kind: kind)
        let managers = try ownership(nil).update(from: nil, to: wish, ManagedFields(), as: entry(.update))
        return part.assembled(wish, over: nil, managers)
    }

    /// `live` after `new`, a whole object, took its place by a PUT or a patch.
    ///
    /// Managers that `new` names replace the stored ones; a list that is empty or holds one empty entry ends the
    /// tracking, until the next apply. Objects that are not tracked stay so.
    package func replacing(_ live: JSONValue, with new: JSONValue) throws(MergeError) -> JSONValue {
        let wish = part.shared(of: new, kind: kind)
        let managers = try managers(live: live, new: new)
        guard !managers.isEmpty else { return part.assembled(wish, over: live, managers) }
        let base = part.shared(of: live, kind: kind)
        return part.assembled(
            wish,
            over: live,
            try ownership(live).update(from: base, to: wish, managers, as: entry(.update))
        )
    }

    private func managers(live: JSONValue, new: JSONValue) throws(MergeError) -> ManagedFields {
        let given = part == .main ? new["metadata"]?["managedFields"]?.array : nil
        if let given, given.isEmpty || given == [[:]] { return ManagedFields() }
        let stored = try ManagedFields(of: live)
        guard given != nil else { return stored }
        do throws(MergeError) {
            let named = try ManagedFields(of: new)
            return named.isEmpty ? stored : named
        } catch {
            // As in Kubernetes: a client that garbles the list must not end the tracking.
            return stored
        }
    }

    /// The conflicts that kubectl's client-side apply does not explain: fields are its own where the copy that it keeps
    /// in an annotation has the live value, whichever name it wrote them under.
    private func unexplained(
        _ conflicts: [MergeError.Conflict],
        live: JSONValue,
        _ ownership: FieldOwnership
    ) throws(MergeError) -> [MergeError.Conflict] {
        guard let text = live["metadata"]?["annotations"]?[lastAppliedAnnotation]?.string, let copy = parsed(text)
        else {
            return conflicts
        }
        let last = part.shared(of: copy, kind: kind)
        let base = part.shared(of: live, kind: kind)
        let change = try ownership.schema.comparison(
            from: ownership.defaulted(last) ?? last,
            to: ownership.defaulted(base) ?? base
        )
        let differing = change.added.union(change.modified).union(change.removed)
        let own = try ownership.schema.fieldSet(of: last).subtracting(differing)
        return conflicts.filter { !own.contains($0.path) }
    }

    private func parsed(_ text: String) -> JSONValue? {
        do throws(JSONSyntaxError) { return try JSONValue(parsing: text) } catch { return nil }
    }
}
