// Event: something that happened to an object, in the fields of a core v1 Event; written by Meridian.

/// Something that happened to an object.
package struct Event: APIObject {
    package static let kind = "Event"

    package var apiVersion: String = apiVersionText
    package var kindName: String = Event.kind
    package var metadata: Metadata = Metadata()
    package var involvedObject: ObjectReference = ObjectReference()
    /// One CamelCase word for programs: `BuildFailed`.
    package var reason: String = ""
    /// Words for people.
    package var message: String = ""
    /// `Normal` or `Warning`.
    package var type: EventType = .normal
    /// How often it happened.
    package var count: Int = 1
    package var firstTimestamp: Timestamp?
    package var lastTimestamp: Timestamp?

    package init() {}

    package static let shape: Shape<Event> = Shape(
        kind,
        "Something that happened to an object.",
        fields: [
            .init(required: "apiVersion", \.apiVersion, "The API's group and version.", .constant(apiVersionText)),
            .init(required: "kind", \.kindName, "The object's kind.", .constant(kind)),
            .init(required: "metadata", \.metadata, "What the object carries about itself."),
            .init(required: "involvedObject", \.involvedObject, "The object it happened to."),
            .init("reason", \.reason, default: "", "One word for programs."),
            .init("message", \.message, default: "", "Words for people."),
            .init("type", \.type, default: .normal, "Normal or Warning."),
            .init("count", \.count, default: 1, "How often it happened."),
            .init("firstTimestamp", optional: \.firstTimestamp, "When it first happened."),
            .init("lastTimestamp", optional: \.lastTimestamp, "When it last happened."),
        ]
    )
}

/// How much an event matters.
package enum EventType: String, WordShapeValue {
    case normal = "Normal"
    case warning = "Warning"
}

/// Names the object that an event is about.
package struct ObjectReference: Shaped {
    package var apiVersion: String = apiVersionText
    package var kind: String = ""
    package var namespace: String = ""
    package var name: String = ""
    package var uid: String = ""

    package init() {}

    package static let shape: Shape<ObjectReference> = Shape(
        "ObjectReference",
        "Names the object that an event is about.",
        fields: [
            .init("apiVersion", \.apiVersion, default: apiVersionText, "The object's apiVersion."),
            .init(required: "kind", \.kind, "The object's kind."),
            .init("namespace", \.namespace, default: "", "The object's namespace."),
            .init(required: "name", \.name, "The object's name."),
            .init("uid", \.uid, default: "", "The object's uid."),
        ]
    )
}
