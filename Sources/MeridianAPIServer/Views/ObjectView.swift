// ObjectView: how a stored object is shown where it is served, and how what clients send becomes a stored one.
internal import MeridianModel

/// One form in which objects of a stored kind are served.
enum ObjectView: Sendable {
    /// As it is stored.
    case stored
    /// As it is stored, with the defaults that clients print and select by.
    case event
    /// As it is stored, with the phase that its deletion gives it.
    case namespace
    case coreNamespace
    case coreEvent
    case coreSecret
    /// A Runner as a read-only Pod.
    case pod

    /// The kind whose objects it shows, but for `stored`, which shows any.
    var stored: String {
        switch self {
        case .stored: ""
        case .namespace, .coreNamespace: NamespaceSpec.kind
        case .event, .coreEvent: Event.kind
        case .coreSecret: Secret.kind
        case .pod: RunnerSpec.kind
        }
    }

    /// Whether served objects look like stored ones, so that patches of the one are patches of the other.
    var isStoredForm: Bool {
        switch self {
        case .stored, .event, .namespace: true
        default: false
        }
    }

    /// Whether the columns of its tables are fields of the served form rather than of the stored one.
    var hasOwnColumns: Bool {
        switch self {
        case .pod, .namespace, .coreNamespace: true
        default: false
        }
    }

    /// A stored object, with its resourceVersion, as it is served.
    func shown(_ object: JSONValue) -> JSONValue {
        switch self {
        case .stored: object
        case .event: withEventDefaults(object)
        case .namespace: withPhase(object)
        case .coreNamespace: inCoreGroup(withPhase(object))
        case .coreEvent: inCoreGroup(withEventDefaults(object), adding: ["source": ["component": "meridian"]])
        case .coreSecret: maskedSecret(object)
        case .pod: podForm(object)
        }
    }

    /// What a client sent, in the form that is stored; the rest of the way (checks, sealing) is that of every object.
    func accepted(_ object: JSONValue) throws(APIFailure) -> JSONValue {
        switch self {
        case .stored, .namespace: return object
        case .coreNamespace: return try ofOwnGroup(object, kind: stored)
        case .coreSecret: return try storedSecret(try ofOwnGroup(object, kind: stored))
        case .event, .coreEvent, .pod: throw .notAllowed("these objects are written by Meridian alone")
        }
    }
}

/// The object with `status.phase`, which follows from its deletion alone and is therefore not stored.
private func withPhase(_ value: JSONValue) -> JSONValue {
    guard case .object(var object) = value else { return value }
    let isEnding = value["metadata"]?["deletionTimestamp"] != nil
    let phase: NamespacePhase = isEnding ? .terminating : .active
    object["status"] = ["phase": .string(phase.rawValue)]
    return .object(object)
}

/// The Event with its type, count and the apiVersion of its object, which are not stored where they are the usual ones.
private func withEventDefaults(_ value: JSONValue) -> JSONValue {
    guard case .object(var object) = value else { return value }
    if object["type"] == nil { object["type"] = .string(EventType.normal.rawValue) }
    if object["count"] == nil { object["count"] = 1 }
    if case .object(var subject)? = object["involvedObject"], subject["apiVersion"] == nil {
        subject["apiVersion"] = .string(apiVersionText)
        object["involvedObject"] = .object(subject)
    }
    return .object(object)
}

/// The object under the apiVersion of the core group, with further members.
func inCoreGroup(_ value: JSONValue, adding members: KeyValuePairs<String, JSONValue> = [:]) -> JSONValue {
    guard case .object(var object) = value else { return value }
    object["apiVersion"] = "v1"
    for (key, value) in members { object[key] = value }
    return .object(object)
}

/// An object of the core group under Meridian's own apiVersion; another version is refused.
///
/// Typed clients leave apiVersion and kind to the path.
private func ofOwnGroup(_ value: JSONValue, kind: String) throws(APIFailure) -> JSONValue {
    guard case .object(var object) = value else { throw .badRequest("the body must be an object") }
    let version = object["apiVersion"] ?? "v1"
    guard version == "v1" else {
        throw .badRequest(
            "apiVersion in the data (\(String(version.text().prefix(80)))) does not match the expected apiVersion (v1)"
        )
    }
    object["apiVersion"] = .string(apiVersionText)
    if object["kind"] == nil { object["kind"] = .string(kind) }
    return .object(object)
}
