// APIFailure+Access: 401 and 403 in Kubernetes' words.
internal import MeridianModel

extension APIFailure {
    /// Nobody, or somebody whose token is not one.
    ///
    /// It does not say what is wrong with a token: that helps only those who guess.
    static func unauthorized() -> APIFailure { APIFailure(401, "Unauthorized", "Unauthorized") }

    /// Somebody who may not do that.
    static func forbidden(_ request: AccessRequest, to caller: Caller) -> APIFailure {
        switch request.target {
        case .path(let path):
            return .forbidden("forbidden: User \"\(caller.name)\" cannot \(request.verb) path \"\(path.prefix(200))\"")
        case .resource(let target):
            let object = target.name.isEmpty ? "" : " \"\(target.name.prefix(80))\""
            let full = target.group.isEmpty ? target.resource : "\(target.resource).\(target.group)"
            let place =
                target.namespace.isEmpty
                ? "at the cluster scope" : "in the namespace \"\(target.namespace.prefix(80))\""
            return APIFailure(
                403,
                "Forbidden",
                "\(full.prefix(200))\(object) is forbidden: User \"\(caller.name)\" cannot \(request.verb) resource"
                    + " \"\(target.path.prefix(200))\" in API group \"\(target.group.prefix(80))\" \(place)",
                details: details(target)
            )
        }
    }

    private static func details(_ target: AccessRequest.ResourceTarget) -> JSONObject {
        var details = JSONObject()
        details["name"] = target.name.isEmpty ? nil : .string(String(target.name.prefix(80)))
        details["group"] = target.group.isEmpty ? nil : .string(String(target.group.prefix(80)))
        details["kind"] = .string(String(target.resource.prefix(80)))
        return details
    }
}
