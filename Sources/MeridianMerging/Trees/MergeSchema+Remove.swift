// MergeSchema+Remove: fields taken out of an object, and sets fitted to the schema.
package import MeridianModel

extension MergeSchema {
    /// `object` without the members of `set`.
    ///
    /// A member goes with all that is in it. Inside atomic values nothing is taken out. An object or list that loses its
    /// last part stays, empty.
    ///
    /// - Throws: `MergeError` with code `invalid` for list items that cannot be told apart.
    package func removing(_ set: FieldSet, from object: JSONValue) throws(MergeError) -> JSONValue {
        try removing(set, from: object, root, at: [])
    }

    private func removing(_ set: FieldSet, from value: JSONValue, _ type: MergeType, at path: [PathElement])
        throws(MergeError) -> JSONValue
    {
        guard !set.isEmpty, !value.isNull else { return value }
        switch form(of: value, type) {
        case .leaf: return value
        case .map:
            var members: [JSONObject.Member] = []
            for member in value.object?.members ?? [] {
                let element = PathElement.field(member.key)
                guard !set.contains(element) else { continue }
                let memberType = self.type(of: member.key, in: type)
                let rest = try removing(set.below(element), from: member.value, memberType, at: path + [element])
                members.append(JSONObject.Member(key: member.key, value: rest))
            }
            return .object(JSONObject(members))
        case .list:
            var rest: [JSONValue] = []
            for item in try items(of: value, type, at: path) where !set.contains(item.element) {
                let place = path + [item.element]
                rest.append(try removing(set.below(item.element), from: item.value, itemType(of: type), at: place))
            }
            return .array(rest)
        }
    }

    /// `set` and, for each member, every declared field on the way to it: what goes when all in it goes.
    package func named(_ set: FieldSet) -> FieldSet { named(set, root) }

    private func named(_ set: FieldSet, _ type: MergeType) -> FieldSet {
        var result = FieldSet()
        for (element, node) in set.nodes {
            guard case .field(let name) = element else {
                result.set(element, isMember: node.isMember, children: named(node.children, itemType(of: type)))
                continue
            }
            let isNamed = !node.children.isEmpty && declares(name, in: type)
            let children = named(node.children, self.type(of: name, in: type))
            result.set(element, isMember: node.isMember || isNamed, children: children)
        }
        return result
    }

    /// `set` as today's schema has it: where a value is owned as a whole now, its former parts stand for the whole.
    package func reconciled(_ set: FieldSet) -> FieldSet { reconciled(set, root) }

    private func reconciled(_ set: FieldSet, _ type: MergeType) -> FieldSet {
        var result = FieldSet()
        for (element, node) in set.nodes {
            let below: MergeType
            if case .field(let name) = element {
                below = self.type(of: name, in: type)
            } else {
                below = itemType(of: type)
            }
            if resolved(below) == .atomic {
                result.set(element, isMember: true, children: FieldSet())
            } else {
                result.set(element, isMember: node.isMember, children: reconciled(node.children, below))
            }
        }
        return result
    }
}
