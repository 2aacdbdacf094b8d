// ObjectParts: what of an object clients share, apart from what the server keeps.
package import MeridianModel

/// The part of an object that one endpoint writes.
package enum ObjectPart: String, Sendable {
    /// Everything but the status.
    case main = ""
    /// The status alone.
    case status
}

/// An annotation that a Secret must not keep: kubectl writes the whole manifest into it, plain values included.
package let lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration"

/// The top-level fields that are not the content of an object.
private let envelopeFields: Set = ["apiVersion", "kind", "metadata", "status"]

/// Metadata that clients may write.
private let sharedMetadata = ["labels", "annotations", "finalizers", "ownerReferences"]

/// Whether two objects have the same content: all but `apiVersion`, `kind`, `metadata` and `status`.
package func hasEqualContent(_ left: JSONValue, _ right: JSONValue) -> Bool { content(of: left) == content(of: right) }

/// Whether an annotation or finalizer is one that Meridian alone writes.
func isOwn(_ name: String) -> Bool { name.hasPrefix(OwnAnnotation.prefix) }

private func content(of object: JSONValue) -> JSONObject {
    JSONObject((object.object?.members ?? []).filter { !envelopeFields.contains($0.key) })
}

extension ObjectPart {
    /// Paths that nobody owns: what names an object, and what the server keeps about it.
    static let untracked: FieldSet = {
        let metadata = [
            "name", "namespace", "creationTimestamp", "uid", "generation", "resourceVersion", "managedFields",
        ]
        let inner = metadata.map { [PathElement.field("metadata"), .field($0)] }
        return FieldSet([[.field("apiVersion")], [.field("kind")], [.field("metadata")]] + inner)
    }()

    /// What clients share of `object`: this part of it with its name, and without annotations and finalizers of
    /// Meridian's own verbs (`OwnAnnotation.prefix`), which no client sets or removes.
    func shared(of object: JSONValue, kind: Kind) -> JSONValue {
        var result = JSONObject()
        result["apiVersion"] = .string(apiVersionText)
        result["kind"] = .string(kind.name)
        var metadata = JSONObject()
        for field in ["name", "namespace"] { metadata[field] = object["metadata"]?[field] }
        guard self == .main else {
            result["metadata"] = .object(metadata)
            result["status"] = object["status"]
            return .object(result)
        }
        for field in sharedMetadata { metadata[field] = object["metadata"]?[field].map { foreign($0, kind: kind) } }
        result["metadata"] = .object(metadata)
        for member in content(of: object).members { result[member.key] = member.value }
        return .object(result)
    }

    /// `shared` put in the place of this part of `live`, whose other part, identity and own annotations stay.
    func assembled(_ shared: JSONValue, over live: JSONValue?, _ managers: ManagedFields) -> JSONValue {
        var metadata = live?["metadata"]?.object ?? shared["metadata"]?.object ?? JSONObject()
        metadata["managedFields"] = managers.json
        guard self == .main else {
            var result = live?.object ?? JSONObject()
            result["metadata"] = .object(metadata)
            result["status"] = shared["status"]
            return .object(result)
        }
        for field in sharedMetadata {
            metadata[field] = joined(shared["metadata"]?[field], own(live?["metadata"]?[field]))
        }
        var result = shared.object ?? JSONObject()
        result["metadata"] = .object(metadata)
        result["status"] = live?["status"]
        return .object(result)
    }

    /// Annotations or finalizers without Meridian's own; a value of another type is kept, so that reading it names the
    /// problem.
    private func foreign(_ value: JSONValue, kind: Kind) -> JSONValue {
        switch value {
        case .object(let object):
            let drops = kind.name == Secret.kind ? lastAppliedAnnotation : ""
            return .object(JSONObject(object.members.filter { !isOwn($0.key) && $0.key != drops }))
        case .array(let items): return .array(items.filter { !isOwn($0.string ?? "") })
        default: return value
        }
    }

    private func own(_ value: JSONValue?) -> JSONValue? {
        switch value {
        case .object(let object): .object(JSONObject(object.members.filter { isOwn($0.key) }))
        case .array(let items): .array(items.filter { isOwn($0.string ?? "") })
        default: nil
        }
    }

    private func joined(_ foreign: JSONValue?, _ own: JSONValue?) -> JSONValue? {
        switch (foreign, own) {
        case (.object(let foreign), .object(let own)): .object(JSONObject(foreign.members + own.members))
        case (.array(let foreign), .array(let own)): .array(foreign + own)
        case (nil, _), (.null, _): own.isVoid ? nil : own
        default: foreign
        }
    }
}
