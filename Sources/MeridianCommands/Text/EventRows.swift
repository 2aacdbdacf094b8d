// EventRows: events as the rows of a table, the newest last.

internal import MeridianMerging
internal import MeridianModel

/// Some events.
struct EventRows {
    private let events: [JSONValue]

    /// The events of one object.
    init(of key: ObjectKey, _ api: any ControlPlaneAPI) async throws {
        // Events of cluster-scoped objects lie in the default namespace, as in Kubernetes.
        let namespace = key.namespace.isEmpty ? defaultNamespace : key.namespace
        let fields = "involvedObject.kind=\(key.kind),involvedObject.name=\(key.name)"
        self.init(try await api.list(eventQuery(namespace: namespace, fields: fields)).items)
    }

    init(_ events: [JSONValue]) { self.events = events.sorted { Self.time($0) < Self.time($1) } }

    /// The header and one row per event; with `namingObjects` each says what it is about.
    func rows(now: Timestamp, namingObjects: Bool = false) -> [[String]] {
        let header = ["LAST", "TYPE", "REASON"] + (namingObjects ? ["OBJECT"] : []) + ["MESSAGE"]
        return [header]
            + events.map { event in
                let about = event["involvedObject"] ?? .null
                let name = "\(about["kind"]?.string?.lowercased() ?? "?")/\(about["name"]?.string ?? "?")"
                // A type at its default is not written.
                let type = word(event, "type", otherwise: EventType.normal.rawValue)
                return [ageText(from: Self.time(event), to: now), type, word(event, "reason")]
                    + (namingObjects ? [name] : []) + [message(event)]
            }
    }

    private func word(_ event: JSONValue, _ field: String, otherwise: String = "-") -> String {
        event[field]?.string ?? otherwise
    }

    /// The message on one line, with how often it came.
    private func message(_ event: JSONValue) -> String {
        let count = event["count"]?.integer ?? 1
        let text = (event["message"]?.string ?? "").split(separator: "\n").joined(separator: " | ")
        return text + (count > 1 ? " (×\(count))" : "")
    }

    private static func time(_ event: JSONValue) -> Timestamp {
        let fields = ["lastTimestamp", "firstTimestamp"]
        let text = fields.lazy.compactMap { event[$0]?.string }.first ?? event["metadata"]?["creationTimestamp"]?.string
        return text.flatMap { Timestamp($0) } ?? Timestamp(milliseconds: 0)
    }
}

/// The query for events of a namespace (nil: all).
func eventQuery(namespace: String?, fields: String?) throws -> ObjectQuery {
    ObjectQuery(kind: try knownKind(Event.kind), namespace: namespace, fields: fields)
}
