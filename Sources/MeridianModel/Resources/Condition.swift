// Condition: one aspect of an object's state, as in the Kubernetes Resource Model.

/// One aspect of an object's observed state.
package struct Condition: Shaped {
    /// The aspect: `Built`, `Ready` or `Serving`.
    package var type: String = ""
    package var status: ConditionStatus = .unknown
    /// One CamelCase word for programs.
    package var reason: String = ""
    /// Words for people: what, on what, and the next step.
    package var message: String = ""
    /// When `status` last changed; not when the message did.
    package var lastTransitionTime: Timestamp = Timestamp(milliseconds: 0)
    /// The generation of the object that this was observed at.
    package var observedGeneration: Int = 0

    package init() {}

    package init(_ type: String, _ status: ConditionStatus, _ reason: String, _ message: String = "") {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
    }

    package static let shape: Shape<Condition> = Shape(
        "Condition",
        "One aspect of an object's observed state.",
        fields: [
            .init(required: "type", \.type, "The aspect."),
            .init(required: "status", \.status, "Whether it holds."),
            .init("reason", \.reason, default: "", "One word for programs."),
            .init("message", \.message, default: "", "Words for people."),
            .init(required: "lastTransitionTime", \.lastTransitionTime, "When the status last changed."),
            .init("observedGeneration", \.observedGeneration, default: 0, "The generation this was observed at."),
        ]
    )
}

/// Whether a condition holds.
package enum ConditionStatus: String, WordShapeValue {
    case isTrue = "True"
    case isFalse = "False"
    case unknown = "Unknown"
}

extension [Condition] {
    /// The condition of a type; nil where it was never set.
    package func condition(_ type: String) -> Condition? { first { $0.type == type } }

    /// Whether the condition of a type is `True`.
    package func holds(_ type: String) -> Bool { condition(type)?.status == .isTrue }

    /// These conditions with `updates` set, in the order of first appearance.
    ///
    /// A condition whose status is unchanged keeps its `lastTransitionTime`, so an equal state gives an equal value.
    package func setting(_ updates: [Condition], generation: Int, now: Timestamp) -> [Condition] {
        updates.reduce(into: self) { conditions, update in
            var new = update
            new.observedGeneration = generation
            new.lastTransitionTime = now
            guard let index = conditions.firstIndex(where: { $0.type == new.type }) else {
                conditions.append(new)
                return
            }
            if conditions[index].status == new.status { new.lastTransitionTime = conditions[index].lastTransitionTime }
            conditions[index] = new
        }
    }
}
