// FieldOwnership: server-side apply and tracked updates over any object with a merge schema.
package import MeridianModel

/// The rules of ownership for one kind of object.
///
/// Objects here are without `metadata.managedFields`; the managers travel beside them.
package struct FieldOwnership: Sendable {
    /// An object with its managers.
    package struct Managed: Hashable, Sendable {
        package var object: JSONValue
        package var managers: ManagedFields

        package init(object: JSONValue, managers: ManagedFields) {
            self.object = object
            self.managers = managers
        }
    }

    let schema: MergeSchema
    /// Paths that nobody owns: identity and what the server keeps.
    let untracked: FieldSet
    /// The object with every default written; nil for what is no object of its kind.
    ///
    /// Two states are compared in this form: a default that is written out and one that is left out are the same value.
    let defaulted: @Sendable (JSONValue) -> JSONValue?

    /// The rules for objects of `schema`; without `defaulted` no field has a default.
    package init(
        schema: MergeSchema,
        untracked: FieldSet = FieldSet(),
        defaulted: @escaping @Sendable (JSONValue) -> JSONValue? = { $0 }
    ) {
        self.schema = schema
        self.untracked = untracked
        self.defaulted = defaulted
    }

    /// `live` after `config` was applied by the manager of `entry`, whose fields are ignored.
    ///
    /// What the manager applied before, does not apply now and nobody else owns goes. A manager that already owns
    /// everything and changes nothing leaves its entry as it is, time included. Where the outcome is no object of its
    /// kind, ownership is not looked at: the caller checks the outcome and refuses it.
    ///
    /// `live` is nil where there is no object; `config` is what the manager says, as it wrote it; with `isForced`
    /// fields of others are taken.
    ///
    /// - Returns: the object and its managers.
    /// - Throws: `MergeError`: `conflict` where others own fields that would change, and `isForced` is false;
    ///   `invalid` for list items that cannot be told apart.
    package func apply(
        _ config: JSONValue,
        to live: JSONValue?,
        _ managers: ManagedFields,
        as entry: ManagedFieldsEntry,
        isForced: Bool
    ) throws(MergeError) -> Managed {
        var managers = managers.reconciled(schema)
        let last = managers[entry.identity]
        try schema.checkItemsDiffer(in: config)
        var own = entry
        own.fields = try schema.fieldSet(of: config).subtracting(untracked)
        managers[own.identity] = own
        let laidOver = try schema.merged(live ?? .null, with: config)
        let rest = try pruned(laidOver, of: last?.fields, managers)
        // Again, for what the configuration says to be empty: pruning sees nothing in it that would keep it.
        let new = try rest.map { rest throws(MergeError) in try schema.merged(rest, with: config) } ?? laidOver
        if let live, new == live {
            if let last, last.fields == own.fields { own.time = last.time }
            managers[own.identity] = own
            return Managed(object: live, managers: managers)
        }
        guard let explicit = defaulted(new) else { return Managed(object: new, managers: managers) }
        // Without others there is nobody to be in conflict with or to take from.
        let isAlone = managers.entries.allSatisfy { $0.identity == own.identity }
        if isAlone, last?.fields != own.fields { return Managed(object: new.written(as: explicit), managers: managers) }

        let change = try schema.comparison(from: live.map { defaulted($0) ?? $0 }, to: explicit)
        let touched = change.added.union(change.modified)
        let conflicts = managers.entries.filter { $0.identity != own.identity }.flatMap { other in
            other.fields.intersection(touched).paths.map { MergeError.Conflict(owner: other, path: $0) }
        }
        if !isForced, !conflicts.isEmpty { throw MergeError(conflicts: conflicts) }
        managers.take(touched.union(change.removed), for: own.identity)
        if change.isEmpty, let last, last.fields == own.fields { own.time = last.time }
        managers[own.identity] = own
        return Managed(object: new.written(as: explicit), managers: managers)
    }

    /// The managers of `new`, which took the place of `old` by an update of the manager of `entry`.
    ///
    /// The manager owns what it added or changed and loses what it removed; all others lose all of it. Defaults that
    /// take the place of a removed value are owned by nobody.
    ///
    /// - Throws: `MergeError` with code `invalid` for list items that cannot be told apart.
    package func update(
        from old: JSONValue?,
        to new: JSONValue,
        _ managers: ManagedFields,
        as entry: ManagedFieldsEntry
    ) throws(MergeError) -> ManagedFields {
        var managers = managers.reconciled(schema)
        guard let explicit = defaulted(new) else { return managers }
        let change = try schema.comparison(from: old.map { defaulted($0) ?? $0 }, to: explicit)
        let implied = try schema.comparison(from: new.written(as: explicit), to: explicit).added
        let touched = change.added.union(change.modified)
        let taken = touched.subtracting(implied).subtracting(untracked)
        let lost = change.removed.union(touched)
        managers.take(lost, for: entry.identity)
        let former = managers[entry.identity]
        var own = entry
        own.fields = (former?.fields ?? FieldSet()).subtracting(lost).union(taken)
        if let former, taken.isEmpty, own.fields == former.fields { own.time = former.time }
        managers[own.identity] = own
        managers.capUpdaters()
        return managers
    }

    /// `merged` without what the manager owned `before` and no manager owns now; nil where that is nothing.
    ///
    /// Removing a field removes all in it, so this goes in three steps: everything of before goes; what somebody owns
    /// comes back; what was not of before, and went along, comes back too.
    private func pruned(_ merged: JSONValue, of before: FieldSet?, _ managers: ManagedFields) throws(MergeError)
        -> JSONValue?
    {
        guard let before, !before.subtracting(managers.union).isEmpty else { return nil }
        let last = schema.named(before)
        let all = try named(merged)
        let bare = try schema.removing(last, from: merged)
        let kept = try named(bare).union(schema.named(managers.union))
        let owned = try schema.removing(all.subtracting(kept), from: merged)
        return try schema.removing(all.subtracting(try named(owned)).intersection(last), from: merged)
    }

    private func named(_ object: JSONValue) throws(MergeError) -> FieldSet {
        schema.named(try schema.fieldSet(of: object))
    }
}

extension JSONValue {
    /// This value with each part in the form that `explicit`, the same value with every default, gives it; parts that
    /// only `explicit` has are left out, and nulls that stand for a default too.
    fileprivate func written(as explicit: JSONValue) -> JSONValue {
        switch (self, explicit) {
        case (.object(let object), .object(let forms)):
            let forms = MemberLookup(forms)
            let members = object.members.compactMap { member -> JSONObject.Member? in
                guard let form = forms[member.key] else { return member.value.isNull ? nil : member }
                if member.value.isNull, !form.isNull { return nil }
                return JSONObject.Member(key: member.key, value: member.value.written(as: form))
            }
            return .object(JSONObject(members))
        case (.array(let elements), .array(let forms)) where elements.count == forms.count:
            return .array(zip(elements, forms).map { $0.written(as: $1) })
        default: return explicit
        }
    }
}
