// MergeSchema+Compare: what differs between two states of an object, as sets of paths.
package import MeridianModel

/// The paths at which two states of an object differ.
package struct FieldComparison: Hashable, Sendable {
    /// Only the new state has it.
    package internal(set) var added = FieldSet()
    /// Only the old state has it.
    package internal(set) var removed = FieldSet()
    /// Both have it, with different values.
    package internal(set) var modified = FieldSet()

    /// Whether the states are the same, but for the order of items.
    package var isEmpty: Bool { added.isEmpty && removed.isEmpty && modified.isEmpty }
}

extension MergeSchema {
    /// What changed from `old` to `new`; nil stands for no object.
    ///
    /// Objects and items that only one state has are named themselves, and so are the leaves in them.
    ///
    /// - Throws: `MergeError` with code `invalid` for list items that cannot be told apart.
    package func comparison(from old: JSONValue?, to new: JSONValue?) throws(MergeError) -> FieldComparison {
        var comparison = FieldComparison()
        try compare(old, new, root, at: [], into: &comparison)
        return comparison
    }

    private func compare(
        _ old: JSONValue?,
        _ new: JSONValue?,
        _ type: MergeType,
        at path: [PathElement],
        into result: inout FieldComparison
    ) throws(MergeError) {
        let forms = [old, new].compactMap { value in value.map { form(of: $0, type) } }
        guard let last = forms.last else { return }
        // What changed its form is looked at in both forms, so that parts that are gone count as removed.
        for form in forms.first == last ? [last] : forms {
            if form == .leaf || (old.isVoid && new.isVoid) {
                compareLeaves(old, new, at: path, into: &result)
                continue
            }
            if form == .map {
                try compareMembers(old?.object, new?.object, type, at: path, into: &result)
            } else {
                try compareItems(old, new, type, at: path, into: &result)
            }
            if old == nil { result.added.insert(path) }
            if new == nil { result.removed.insert(path) }
        }
    }

    private func compareLeaves(
        _ old: JSONValue?,
        _ new: JSONValue?,
        at path: [PathElement],
        into result: inout FieldComparison
    ) {
        switch (old, new) {
        case (nil, nil): break
        case (nil, _?): result.added.insert(path)
        case (_?, nil): result.removed.insert(path)
        case (let old?, let new?): if !old.isSame(as: new) { result.modified.insert(path) }
        }
    }

    private func compareMembers(
        _ old: JSONObject?,
        _ new: JSONObject?,
        _ type: MergeType,
        at path: [PathElement],
        into result: inout FieldComparison
    ) throws(MergeError) {
        let oldKeys = old?.keys ?? []
        let known = Set(oldKeys)
        let before = MemberLookup(old)
        let after = MemberLookup(new)
        for key in oldKeys + (new?.keys ?? []).filter({ !known.contains($0) }) {
            let memberType = self.type(of: key, in: type)
            try compare(before[key], after[key], memberType, at: path + [.field(key)], into: &result)
        }
    }

    private func compareItems(
        _ old: JSONValue?,
        _ new: JSONValue?,
        _ type: MergeType,
        at path: [PathElement],
        into result: inout FieldComparison
    ) throws(MergeError) {
        let oldValues = try items(of: old, type, at: path).byElement
        let newValues = try items(of: new, type, at: path).byElement
        for element in Set(oldValues.keys).union(newValues.keys) {
            let before = oldValues[element] ?? []
            let after = newValues[element] ?? []
            let place = path + [element]
            guard before.count > 1 || after.count > 1 else {
                try compare(before.first, after.first, itemType(of: type), at: place, into: &result)
                continue
            }
            // Items that are there twice cannot be told apart: they are compared as one leaf.
            compareLeaves(
                before.isEmpty ? nil : .array(before),
                after.isEmpty ? nil : .array(after),
                at: place,
                into: &result
            )
        }
    }
}
