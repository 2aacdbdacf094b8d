// PodView: a Runner as a read-only Pod, so that `kubectl get pods`, `describe` and `logs -l app=NAME` work on runners.
internal import MeridianModel

/// The Pod that shows a stored Runner: one container, named for the app, whose image is the revision.
func podForm(_ runner: JSONValue) -> JSONValue {
    let app = runner["spec"]?["app"] ?? ""
    let revision = runner["spec"]?["revision"] ?? ""
    let state = RunnerState(rawValue: runner["status"]?["state"]?.string ?? "") ?? .starting
    let since = runner["status"]?["startedAt"] ?? runner["metadata"]?["creationTimestamp"] ?? .null
    // A runner that drains still runs; it only gets no new request.
    let isReady = state != .starting
    var container = JSONObject()
    container["name"] = app
    container["image"] = revision
    container["ready"] = .bool(isReady)
    container["started"] = .bool(isReady)
    container["restartCount"] = 0
    container["imageID"] = ""
    container["state"] = isReady ? ["running": ["startedAt": since]] : ["waiting": ["reason": .string(state.rawValue)]]
    let ready: JSONValue = [
        "type": "Ready", "status": isReady ? "True" : "False", "reason": .string(state.rawValue),
        "lastTransitionTime": since,
    ]
    return [
        "apiVersion": "v1", "kind": "Pod", "metadata": podMetadata(runner["metadata"], runner["spec"]),
        "spec": [
            "containers": [["name": app, "image": revision]], "nodeName": runner["spec"]?["node"] ?? "",
            "restartPolicy": "Never",
        ],
        "status": [
            "phase": isReady ? "Running" : "Pending", "startTime": since, "conditions": [ready],
            "containerStatuses": [.object(container)],
        ],
    ]
}

/// The runner's metadata with the labels that select runners of an app and of a revision.
private func podMetadata(_ metadata: JSONValue?, _ spec: JSONValue?) -> JSONValue {
    var result = metadata?.object ?? JSONObject()
    var labels = result["labels"]?.object ?? JSONObject()
    labels["app"] = spec?["app"]
    labels["revision"] = spec?["revision"]
    result["labels"] = .object(labels)
    return .object(result)
}
