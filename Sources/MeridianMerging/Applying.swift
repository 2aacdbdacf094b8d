// Applying: what an object becomes when a client applies, replaces or creates it.
package import MeridianModel

/// The top-level fields that are not the content of an object.
private let envelopeFields: Set = ["apiVersion", "kind", "metadata", "status"]

/// The object that results from applying `config` over `live`.
///
/// The content, labels and annotations of `config` replace those of `live`; everything else of `live` stays: its
/// status, its identity and the annotations of Meridian's own verbs (`OwnAnnotation.prefix`), which a config can
/// neither set nor remove. Neither value is checked here; the caller decodes the result.
/// `live` is the stored object, nil where there is none yet; `config` is the object as a person wrote it.
package func applied(live: JSONValue?, config: JSONValue, kind: Kind) -> JSONValue {
    var metadata = live?["metadata"]?.object ?? config["metadata"]?.object ?? JSONObject()
    metadata["labels"] = config["metadata"]?["labels"]
    metadata["annotations"] = mergedAnnotations(live: live, config: config, kind: kind)
    if live == nil { metadata["finalizers"] = mergedFinalizers(live: nil, config: config) }
    return assembled(metadata: metadata, live: live, config: config, kind: kind)
}

/// The object that results from a PUT of `config` over `live`: as `applied`, but finalizers, owners and managed fields
/// are the config's too, except for finalizers of Meridian's own, which only Meridian removes.
package func replaced(live: JSONValue, config: JSONValue, kind: Kind) -> JSONValue {
    var metadata = live["metadata"]?.object ?? JSONObject()
    metadata["labels"] = config["metadata"]?["labels"]
    metadata["annotations"] = mergedAnnotations(live: live, config: config, kind: kind)
    metadata["finalizers"] = mergedFinalizers(live: live, config: config)
    for field in ["ownerReferences", "managedFields"] { metadata[field] = config["metadata"]?[field] }
    return assembled(metadata: metadata, live: live, config: config, kind: kind)
}

private func content(of object: JSONValue) -> JSONObject {
    JSONObject((object.object?.members ?? []).filter { !envelopeFields.contains($0.key) })
}

private func assembled(metadata: JSONObject, live: JSONValue?, config: JSONValue, kind: Kind) -> JSONValue {
    var result = JSONObject()
    result["apiVersion"] = .string(apiVersionText)
    result["kind"] = .string(kind.name)
    result["metadata"] = .object(metadata)
    for member in content(of: config).members { result[member.key] = member.value }
    result["status"] = live?["status"]
    return .object(result)
}

private func mergedAnnotations(live: JSONValue?, config: JSONValue, kind: Kind) -> JSONValue? {
    guard case .object(let given)? = config["metadata"]?["annotations"] ?? .object(JSONObject()) else {
        // Of the wrong type: kept as it is, so that decoding names the problem.
        return config["metadata"]?["annotations"]
    }
    let own = (live?["metadata"]?["annotations"]?.object?.members ?? []).filter { isOwn($0.key) }
    let foreign = given.members.filter {
        !isOwn($0.key) && !(kind.name == Secret.kind && $0.key == lastAppliedAnnotation)
    }
    guard !own.isEmpty || !foreign.isEmpty else { return nil }
    return .object(JSONObject(foreign + own))
}

private func mergedFinalizers(live: JSONValue?, config: JSONValue) -> JSONValue? {
    guard case .array(let given)? = config["metadata"]?["finalizers"] ?? .array([]) else {
        return config["metadata"]?["finalizers"]
    }
    let own = (live?["metadata"]?["finalizers"]?.array ?? []).filter { isOwn($0.string ?? "") }
    let foreign = given.filter { !isOwn($0.string ?? "") }
    guard !own.isEmpty || !foreign.isEmpty else { return nil }
    return .array(foreign + own)
}
