// MergeSchema+FieldSet: which fields an applied configuration speaks of.
package import MeridianModel

extension MergeSchema {
    /// The paths of everything that `object` says.
    ///
    /// These are its leaves; each list item, besides what is in it; and each member that is null or empty, since nothing
    /// below stands for it, or that the schema does not declare. Of an item that is there twice only the item itself
    /// counts.
    ///
    /// - Throws: `MergeError` with code `invalid` for list items that cannot be told apart.
    package func fieldSet(of object: JSONValue) throws(MergeError) -> FieldSet {
        try fieldSet(of: object, root, at: [])
    }

    private func fieldSet(of value: JSONValue, _ type: MergeType, at path: [PathElement]) throws(MergeError)
        -> FieldSet
    {
        switch form(of: value, type) {
        case .leaf: return FieldSet()
        case .map: return try memberSet(of: value.object ?? JSONObject(), type, at: path)
        case .list: return try itemSet(of: value, type, at: path)
        }
    }

    private func memberSet(of object: JSONObject, _ type: MergeType, at path: [PathElement]) throws(MergeError)
        -> FieldSet
    {
        var set = FieldSet()
        for member in object.members {
            let element = PathElement.field(member.key)
            let memberType = self.type(of: member.key, in: type)
            let isLeaf = Optional(member.value).isVoid || form(of: member.value, memberType) == .leaf
            set.set(
                element,
                isMember: isLeaf || !declares(member.key, in: type),
                children: try fieldSet(of: member.value, memberType, at: path + [element])
            )
        }
        return set
    }

    private func itemSet(of list: JSONValue, _ type: MergeType, at path: [PathElement]) throws(MergeError)
        -> FieldSet
    {
        var set = FieldSet()
        for item in try items(of: list, type, at: path) {
            let isTwin = set.contains(item.element)
            let children =
                isTwin ? FieldSet() : try fieldSet(of: item.value, itemType(of: type), at: path + [item.element])
            set.set(item.element, isMember: true, children: children)
        }
        return set
    }

    /// Checks that no list of an applied configuration has the same item twice.
    ///
    /// Live objects may have such lists, written before the list had keys; a configuration would not say which it means.
    package func checkItemsDiffer(in object: JSONValue) throws(MergeError) {
        try checkItemsDiffer(in: object, root, at: [])
    }

    private func checkItemsDiffer(in value: JSONValue, _ type: MergeType, at path: [PathElement])
        throws(MergeError)
    {
        switch form(of: value, type) {
        case .leaf: return
        case .map:
            for member in value.object?.members ?? [] {
                let memberType = self.type(of: member.key, in: type)
                try checkItemsDiffer(in: member.value, memberType, at: path + [.field(member.key)])
            }
        case .list:
            var seen: Set<PathElement> = []
            for item in try items(of: value, type, at: path) {
                let place = path + [item.element]
                guard seen.insert(item.element).inserted else {
                    throw MergeError(.invalid, "the item is given twice; remove one", path: place)
                }
                try checkItemsDiffer(in: item.value, itemType(of: type), at: place)
            }
        }
    }
}
