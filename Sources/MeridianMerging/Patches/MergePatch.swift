// MergePatch: JSON Merge Patch (RFC 7396).
package import MeridianModel

/// `target` changed by a JSON Merge Patch (RFC 7396 §2): objects merge member by member, `null` removes a member,
/// anything else replaces.
///
/// Recursion is bounded by the nesting of `patch`, which the JSON parser bounds at `JSONValue.depthMax`.
package func mergePatched(_ target: JSONValue?, with patch: JSONValue) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    var result = target?.object ?? JSONObject()
    for change in changes.members {
        if change.value.isNull {
            result[change.key] = nil
        } else {
            result[change.key] = mergePatched(result[change.key], with: change.value)
        }
    }
    return .object(result)
}
