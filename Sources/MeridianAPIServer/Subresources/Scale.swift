// Scale: how many runners an app keeps, as Kubernetes' autoscaling/v1 Scale shows and sets it.
internal import MeridianMerging
internal import MeridianModel

/// The Scale of a served App: `spec.replicas` is the runners that stay up although idle.
func scale(of app: JSONValue) -> JSONValue {
    let metadata = app["metadata"]
    var own = JSONObject()
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] { own[field] = metadata?[field] }
    return [
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": .object(own),
        "spec": ["replicas": app["spec"]?["scaling"]?["min"] ?? 0],
        "status": [
            "replicas": app["status"]?["readyRunners"] ?? 0,
            "selector": .string("app=\(metadata?["name"]?.string ?? "")"),
        ],
    ]
}

/// The merge patch of an App that a Scale means, with the resourceVersion that it was made from.
func appPatch(from scale: JSONValue) throws(APIFailure) -> JSONValue {
    let replicas = scale["spec"]?["replicas"] ?? 0
    guard let count = replicas.integer, (0...Int64(Int32.max)).contains(count) else {
        throw .badRequest(
            "spec.replicas: expected a whole number from 0 to \(Int32.max), got \(String(replicas.text().prefix(80)))"
        )
    }
    var metadata = JSONObject()
    metadata["resourceVersion"] = scale["metadata"]?["resourceVersion"]
    return ["metadata": .object(metadata), "spec": ["scaling": ["min": .integer(count)]]]
}
