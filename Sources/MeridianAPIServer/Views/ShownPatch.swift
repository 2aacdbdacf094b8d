// ShownPatch: patches of objects whose served form is not the stored one: the core group's Secrets and Namespaces.
internal import MeridianMerging
internal import MeridianModel

/// What a PATCH may be where the served form is another than the stored one.
enum ShownPatch: Equatable {
    case apply, merge, json
    /// Kubernetes' own, which kubectl uses for the kinds that it knows itself.
    case strategic

    init?(mediaType: String) {
        switch mediaType {
        case "application/strategic-merge-patch+json": self = .strategic
        default:
            switch PatchType(rawValue: mediaType) {
            case .apply: self = .apply
            case .merge: self = .merge
            case .json: self = .json
            case nil: return nil
            }
        }
    }
}

/// Attempts where the object changes at the same moment, as for every other write.
private let attemptsMax = 5

extension ObjectAPI {
    /// Patches the object as it is shown, and puts the outcome in its place.
    func patchShown(
        _ resource: ServedResource,
        _ key: ObjectKey,
        _ patch: ShownPatch,
        _ body: JSONValue,
        _ options: WriteOptions
    ) async throws(APIFailure) -> WriteOutcome {
        var last = APIFailure.conflict(key, resource.kind)
        for _ in 0..<attemptsMax {
            let live = resource.view.shown(served(try await record(key, resource.kind)))
            let patched = try patched(live, patch, body, key, resource.kind)
            do throws(APIFailure) {
                return try await replace(try resource.view.accepted(patched), resource.kind, key, options)
            } catch {
                let isRace =
                    error.code == 409 && patched["metadata"]?["resourceVersion"] == live["metadata"]?["resourceVersion"]
                guard isRace else { throw error }
                last = error
            }
        }
        throw last
    }

    private func patched(
        _ live: JSONValue,
        _ patch: ShownPatch,
        _ body: JSONValue,
        _ key: ObjectKey,
        _ kind: Kind
    ) throws(APIFailure) -> JSONValue {
        switch patch {
        case .json:
            do throws(MergeError) { return try JSONPatch(body).applied(to: live) } catch {
                throw APIFailure(error, key, kind)
            }
        case .strategic:
            guard case .object(let changes) = body else {
                throw .badRequest("a strategic merge patch must be an object")
            }
            return .object(try strategicMerged(live.object ?? JSONObject(), changes))
        case .merge, .apply:
            guard case .object = body else { throw .badRequest("a merge patch must be a JSON object") }
            return mergePatched(live, with: body)
        }
    }
}

/// The list fields of these kinds that a strategic merge patch adds to, with the key that tells their items apart
/// (nil: the items are texts).
private let mergedLists: [String: String?] = ["finalizers": nil, "ownerReferences": "uid"]

/// An object changed by a strategic merge patch, as far as the core group's kinds here need it: maps merge, null removes,
/// `$patch` replaces or deletes, finalizers and ownerReferences are added to, and every other list is replaced.
///
/// Recursion is bounded by the nesting of the patch, which the JSON parser bounds.
func strategicMerged(_ target: JSONObject, _ patch: JSONObject) throws(APIFailure) -> JSONObject {
    switch patch["$patch"]?.string {
    case nil, "merge": break
    case "replace": return JSONObject(patch.members.filter { $0.key != "$patch" })
    case "delete": return JSONObject()
    case let other?: throw .badRequest("$patch: \"\(other.prefix(80))\" is not one of merge, replace, delete")
    }
    var result = target
    for change in patch.members where change.key != "$patch" {
        if change.key.hasPrefix("$deleteFromPrimitiveList/") {
            let field = String(change.key.dropFirst("$deleteFromPrimitiveList/".count))
            let removed = change.value.array ?? []
            let rest = (result[field]?.array ?? []).filter { !removed.contains($0) }
            result[field] = rest.isEmpty ? nil : .array(rest)
            continue
        }
        // The order of elements and the keys to retain say nothing about the lists and maps of these kinds.
        guard !change.key.hasPrefix("$") else { continue }
        switch (change.value, result[change.key]) {
        case (.null, _): result[change.key] = nil
        case (.object(let inner), let old):
            result[change.key] = .object(try strategicMerged(old?.object ?? JSONObject(), inner))
        case (.array(let items), .array(let old)?) where mergedLists[change.key] != nil:
            result[change.key] = .array(joined(old, items, by: mergedLists[change.key] ?? nil))
        default: result[change.key] = change.value
        }
    }
    return result
}

private func joined(_ old: [JSONValue], _ new: [JSONValue], by key: String?) -> [JSONValue] {
    func identity(_ item: JSONValue) -> JSONValue { key.flatMap { item[$0] } ?? item }
    let changed = new.map(identity)
    let isRemoval = Set(new.filter { $0["$patch"] == "delete" }.map(identity))
    return old.filter { !changed.contains(identity($0)) } + new.filter { !isRemoval.contains(identity($0)) }
}
