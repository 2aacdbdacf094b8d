// JSONObjectBuilder: collects the members of an object and finds duplicate keys in constant time.

/// Collects object members for the JSON parser and the YAML composer.
package struct JSONObjectBuilder {
    /// Up to here comparing keys one by one is faster than hashing them.
    private static let linearCountMax = 16

    private var members: [JSONObject.Member] = []
    private var positions: [String: Int] = [:]

    package init() {}

    /// The object of all members so far.
    package var object: JSONObject { JSONObject(members) }

    /// The place of `key` among the members so far; nil where it is new.
    package func position(of key: String) -> Int? {
        guard members.count > Self.linearCountMax else { return members.firstIndex { $0.key == key } }
        return positions[key]
    }

    /// Adds a member whose key is known to be new.
    package mutating func append(key: String, value: JSONValue) {
        members.append(JSONObject.Member(key: key, value: value))
        if members.count > Self.linearCountMax + 1 {
            positions[key] = members.count - 1
        } else if members.count == Self.linearCountMax + 1 {
            for (position, member) in members.enumerated() { positions[member.key] = position }
        }
    }

    /// Gives the member at `position` another value.
    package mutating func replace(at position: Int, value: JSONValue) { members[position].value = value }
}
