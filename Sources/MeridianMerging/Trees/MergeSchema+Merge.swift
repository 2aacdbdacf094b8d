// MergeSchema+Merge: a configuration laid over a live object.
package import MeridianModel

extension MergeSchema {
    /// `live` with everything that `config` says laid over it; nothing of `live` is taken away.
    ///
    /// Leaves are the configuration's where it has them; objects and lists by items are merged member by member. Items
    /// come in the configuration's order, and items that only `live` has keep their place between them.
    ///
    /// - Throws: `MergeError` with code `invalid` for list items that cannot be told apart.
    package func merged(_ live: JSONValue, with config: JSONValue) throws(MergeError) -> JSONValue {
        try merged(live, config, root, at: []) ?? .null
    }

    private func merged(_ live: JSONValue?, _ config: JSONValue?, _ type: MergeType, at path: [PathElement])
        throws(MergeError) -> JSONValue?
    {
        guard let leading = config ?? live else { return nil }
        let form = form(of: leading, type)
        if form == .leaf || (live.isVoid && config.isVoid) { return leading }
        return form == .map
            ? .object(try mergedMembers(live?.object, config?.object, type, at: path))
            : .array(try mergedItems(live, config, type, at: path))
    }

    private func mergedMembers(
        _ live: JSONObject?,
        _ config: JSONObject?,
        _ type: MergeType,
        at path: [PathElement]
    ) throws(MergeError) -> JSONObject {
        let old = MemberLookup(live)
        var result = (live ?? JSONObject()).builder
        for member in config?.members ?? [] {
            let memberType = self.type(of: member.key, in: type)
            let place = path + [.field(member.key)]
            let value = try merged(old[member.key], member.value, memberType, at: place) ?? member.value
            if let position = result.position(of: member.key) {
                result.replace(at: position, value: value)
            } else {
                result.append(key: member.key, value: value)
            }
        }
        return result.object
    }

    private func mergedItems(
        _ live: JSONValue?,
        _ config: JSONValue?,
        _ type: MergeType,
        at path: [PathElement]
    ) throws(MergeError) -> [JSONValue] {
        let old = try items(of: live, type, at: path)
        let new = try items(of: config, type, at: path)
        let oldValues = old.byElement
        let newElements = Set(new.map(\.element))
        var result: [JSONValue] = []
        var rest = new[...]

        /// Takes the configuration's next item, merged with the live one, unless that is not just one.
        func takeNext() throws(MergeError) -> PathElement? {
            guard let item = rest.popFirst() else { return nil }
            let twins = oldValues[item.element] ?? []
            let base = twins.count == 1 ? twins.first : nil
            let place = path + [item.element]
            if let value = try merged(base, item.value, itemType(of: type), at: place) { result.append(value) }
            return item.element
        }

        for item in old {
            if !newElements.contains(item.element) {
                result.append(item.value)
                continue
            }
            // A shared item marks how far the configuration's order has come, if it is the next one of these.
            guard rest.first(where: { oldValues[$0.element] != nil })?.element == item.element else { continue }
            while let taken = try takeNext(), taken != item.element {}
        }
        while try takeNext() != nil {}
        return result
    }
}
