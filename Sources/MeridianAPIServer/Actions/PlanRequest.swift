// PlanRequest: what the loop would do if some objects were applied.
internal import MeridianModel
internal import MeridianPorts

/// Objects in one plan: as many as one apply of a large repository.
private let planObjectsMax = 20_000

extension ObjectAPI {
    /// The plan for `{"objects": […], "removed": [{"kind", "namespace", "name"}, …]}` over the store; every object is
    /// checked as `apply` checks it.
    ///
    /// The caller must be allowed to read each object; a Secret, whose plan tells whether a value was guessed right,
    /// to write it; and without objects, to read the apps of all namespaces.
    func plan(
        _ body: JSONValue?,
        _ backend: any PlanPort,
        for caller: Caller
    ) async throws(APIFailure) -> JSONValue {
        let objects = try planObjects(body)
        let removed = try planRemovals(body, for: caller)
        if objects.isEmpty {
            try caller.require(AccessRequest("list", .resource(.init(group: apiGroup, resource: "apps"))))
        }
        var overlay: [JSONValue] = []
        for (index, object) in objects.enumerated() {
            guard let kind = object["kind"]?.string.flatMap({ name in Kind.all.first { $0.name == name } }) else {
                throw .badRequest("objects[\(index)]: kind is missing or unknown")
            }
            try checkDeclared(kind)
            let given = object["metadata"]?["namespace"]?.string ?? ""
            let namespace = kind.isNamespaced ? (given.isEmpty ? "default" : given) : ""
            let key = ObjectKey(kind: kind.name, namespace: namespace, name: "")
            try caller.requirePlan(of: object, kind, in: namespace)
            let (value, differs) = try await wouldApply(object, kind, key)
            if differs { overlay.append(value) }
        }
        do { return try await backend.plan(overlaying: overlay, removing: removed) } catch { throw APIFailure(error) }
    }

    /// The objects that the plan is to do without; those that are not there change nothing.
    private func planRemovals(_ body: JSONValue?, for caller: Caller) throws(APIFailure) -> [ObjectKey] {
        guard let removed = body?["removed"] else { return [] }
        guard let items = removed.array, items.count <= planObjectsMax else {
            throw .badRequest("removed: expected a list of at most \(planObjectsMax) objects")
        }
        var keys: [ObjectKey] = []
        for (index, item) in items.enumerated() {
            guard let kind = item["kind"]?.string.flatMap(Kind.named), let name = item["name"]?.string else {
                throw .badRequest("removed[\(index)]: give kind, namespace and name")
            }
            try checkDeclared(kind)
            let namespace = kind.isNamespaced ? item["namespace"]?.string ?? "default" : ""
            try caller.require(
                AccessRequest(
                    "get",
                    .resource(.init(group: apiGroup, resource: kind.plural, namespace: namespace, name: name))
                )
            )
            keys.append(ObjectKey(kind: kind.name, namespace: namespace, name: name))
        }
        return keys
    }

    private func planObjects(_ body: JSONValue?) throws(APIFailure) -> [JSONValue] {
        guard let body else { return [] }
        guard case .object(let object) = body, object.keys.allSatisfy({ ["objects", "removed"].contains($0) }) else {
            throw .badRequest("the body must be empty or {\"objects\": [OBJECT, …], \"removed\": [NAME, …]}")
        }
        guard let objects = object["objects"]?.array ?? (object["objects"] == nil ? [] : nil) else {
            throw .badRequest("objects: expected a list")
        }
        guard objects.count <= planObjectsMax else {
            throw .tooLarge("\(objects.count) objects; one plan takes at most \(planObjectsMax)")
        }
        return objects
    }

    /// 405 for a kind that Meridian alone writes.
    func checkDeclared(_ kind: Kind) throws(APIFailure) {
        guard !kind.isDeclared else { return }
        let next =
            kind.name == RevisionSpec.kind ? "change the App, or use meridian rollback" : "change the App instead"
        throw .notAllowed("\(kind.plural) are written by Meridian alone; \(next)")
    }
}

extension Caller {
    /// Throws 403 where a plan for the object would tell the caller what it may not know.
    fileprivate func requirePlan(of object: JSONValue, _ kind: Kind, in namespace: String) throws(APIFailure) {
        let target = AccessRequest.ResourceTarget(
            group: apiGroup,
            resource: kind.plural,
            namespace: namespace,
            name: object["metadata"]?["name"]?.string ?? ""
        )
        try require(AccessRequest(kind.name == Secret.kind ? "patch" : "get", .resource(target)))
    }
}
