// AuditEntry: one line of the audit log, in the words of Kubernetes' audit.k8s.io/v1.
internal import MeridianModel

/// A request that wrote, or was refused to.
struct AuditEntry {
    let id: String
    let request: AccessRequest
    let trail: AuditTrail
    /// Nil for the platform's own writes, which no request asks for.
    var uri: String?
    /// The client's address; nil where the connection has none.
    var address: String?
    var userAgent: String?
    let code: Int
    let received: Timestamp
    let answered: Timestamp

    /// Bytes of what a client chose that are kept: enough for every real name.
    private static let textBytesMax = 1024
    /// Objects that are named one by one; a deletion of a collection tells the number of all.
    private static let objectsMax = 100

    /// The entry as an `Event` of audit.k8s.io/v1, level Metadata.
    ///
    /// Annotations under `meridian.dev/`: `revision` of the store after the last change, `diff` (the changes' digests,
    /// `namespace/name=sha256:…`), `objects` (how many changed), `field-manager`.
    var json: JSONValue {
        var entry = JSONObject()
        entry["kind"] = "Event"
        entry["apiVersion"] = "audit.k8s.io/v1"
        entry["level"] = "Metadata"
        entry["auditID"] = .string(id)
        entry["stage"] = "ResponseComplete"
        entry["requestURI"] = uri.map(Self.text)
        entry["verb"] = .string(request.verb)
        entry["user"] = user
        entry["sourceIPs"] = .array(address.map { [.string($0)] } ?? [])
        entry["userAgent"] = userAgent.map(Self.text)
        entry["objectRef"] = objectRef
        entry["responseStatus"] = ["code": .integer(Int64(code))]
        entry["requestReceivedTimestamp"] = .string(received.description)
        entry["stageTimestamp"] = .string(answered.description)
        entry["annotations"] = annotations
        return .object(entry)
    }

    private var user: JSONValue {
        let caller = trail.caller
        var user = JSONObject()
        user["username"] = .string(caller.name)
        user["uid"] = caller.uid.isEmpty ? nil : .string(caller.uid)
        user["groups"] = .array(caller.groups.map(JSONValue.string))
        return .object(user)
    }

    private var objectRef: JSONValue? {
        guard case .resource(let target) = request.target else { return nil }
        var reference = JSONObject()
        // The name of an object that the server named is in no path.
        let name = target.name.isEmpty && trail.changes.count == 1 ? trail.changes[0].key.name : target.name
        let fields = [
            ("resource", target.resource), ("namespace", target.namespace), ("name", name),
            ("apiGroup", target.group), ("subresource", target.subresource),
        ]
        for (field, value) in fields where !value.isEmpty { reference[field] = Self.text(value) }
        reference["apiVersion"] = "v1"
        return .object(reference)
    }

    private var annotations: JSONValue? {
        var annotations = JSONObject()
        annotations["meridian.dev/field-manager"] = trail.manager.map(Self.text)
        let changes = trail.changes
        if let last = changes.last {
            let digests = changes.prefix(Self.objectsMax).map { change in
                let key = change.key
                return "\(key.namespace.isEmpty ? "" : key.namespace + "/")\(key.name)=\(change.digest)"
            }
            annotations["meridian.dev/revision"] = .string(String(last.revision))
            annotations["meridian.dev/objects"] = .string(String(changes.count))
            annotations["meridian.dev/diff"] = .string(digests.joined(separator: " "))
        }
        return annotations.isEmpty ? nil : .object(annotations)
    }

    private static func text(_ text: String) -> JSONValue {
        .string(String(decoding: text.utf8.prefix(textBytesMax), as: UTF8.self))
    }
}

extension AccessRequest {
    /// Whether it is meant to change something; what only asks by POST is not.
    var isWrite: Bool {
        switch target {
        case .resource(let target):
            !["get", "list", "watch"].contains(verb) && !target.resource.hasPrefix("selfsubject")
        case .path(let path): ["put", "post", "patch", "delete"].contains(verb) && path != Self.planPath
        }
    }

    /// A plan is asked for with a body and changes nothing.
    private static let planPath = "/meridian/v1/plan"
}
