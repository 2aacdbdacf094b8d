// MergePatch: JSON Merge Patch (RFC 7396).
package import MeridianModel

/// `target` changed by a JSON Merge Patch (RFC 7396 §2): objects merge member by member, `null` removes a member,
/// anything else replaces.
///
/// Recursion is bounded by the nesting of `patch`, which the JSON parser bounds at `JSONValue.depthMax`.
package func mergePatched(_ target: JSONValue?, with patch: JSONValue) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    let old = MemberLookup(target?.object)
    var result = (target?.object ?? JSONObject()).builder
    var removed: Set<String> = []
    for change in changes.members {
        guard !change.value.isNull else {
            removed.insert(change.key)
            continue
        }
        let value = mergePatched(old[change.key], with: change.value)
        if let position = result.position(of: change.key) {
            result.replace(at: position, value: value)
        } else {
            result.append(key: change.key, value: value)
        }
    }
    return .object(JSONObject(result.object.members.filter { !removed.contains($0.key) }))
}
