// MemberLookup: the members of an object by key, in constant time where there are many.
internal import MeridianModel

/// Finds members by key.
///
/// A JSONObject is searched from its beginning, which is the fastest for the few members that most have; of an object
/// with a hundred thousand, which any client may send, every member would be looked for among all.
struct MemberLookup {
    /// Up to here searching is faster than hashing.
    private static let linearCountMax = 16

    private let object: JSONObject
    private let byKey: [String: JSONValue]?

    init(_ object: JSONObject?) {
        self.object = object ?? JSONObject()
        byKey =
            self.object.count > Self.linearCountMax
            ? Dictionary(self.object.members.map { ($0.key, $0.value) }) { first, _ in first } : nil
    }

    subscript(key: String) -> JSONValue? { byKey.map { $0[key] } ?? object[key] }
}

extension JSONObject {
    /// A builder that holds these members.
    var builder: JSONObjectBuilder {
        members.reduce(into: JSONObjectBuilder()) { $0.append(key: $1.key, value: $1.value) }
    }
}
