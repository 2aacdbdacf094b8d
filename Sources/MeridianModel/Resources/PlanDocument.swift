// PlanDocument: a plan as programs read it: the stable form that `schemas/plan.json` describes.

/// What would happen, and what would still be waited for at the end.
package struct PlanDocument: Shaped {
    /// The effects in a few words each: `build api (cached)`, `start 2 runners in fra`.
    package var summary: [String] = []
    /// What a merge changes in the declared objects; empty in plans that no Git revisions were given to.
    package var changes: [PlanChange] = []
    package var steps: [PlanEffect] = []
    package var waiting: [PlanWait] = []
    /// What is wrong with the files of the newer revision.
    package var problems: [GitProblem] = []

    package init() {}

    package static let shape: Shape<PlanDocument> = Shape(
        "Plan",
        "What would happen, and what would still be waited for at the end.",
        fields: [
            .init("summary", \.summary, default: [], "The effects in a few words each."),
            .init("changes", \.changes, default: [], "What a merge changes in the declared objects."),
            .init(required: "steps", \.steps, "What is done, in order."),
            .init("waiting", \.waiting, default: [], "What is not done by then, and for what it waits."),
            .init("problems", \.problems, default: [], "What is wrong with the files of the newer revision."),
        ]
    )

    /// The JSON Schema of a plan's document.
    package static func schemaDocument() -> JSONObject { documentSchema(of: PlanDocument.self, named: "Plan") }
}

/// One thing that is done.
package struct PlanEffect: Shaped {
    /// `make`, `build`, `check`, `serve`, `route`, `unroute`, `start`, `apply`, `remove`, `end`, `cancel`.
    package var verb: String = ""
    /// `App/default/hello`.
    package var object: String = ""
    /// The whole line without the reason.
    package var text: String = ""
    package var why: String = ""

    package init() {}

    package init(verb: String, object: String, text: String, why: String) {
        self.verb = verb
        self.object = object
        self.text = text
        self.why = why
    }

    package static let shape: Shape<PlanEffect> = Shape(
        "PlanStep",
        "One thing that is done.",
        fields: [
            .init("verb", \.verb, default: "", "The kind of step in one word."),
            .init("object", \.object, default: "", "The object that it is done for: KIND/NAMESPACE/NAME."),
            .init("text", \.text, default: "", "What is done, for people."),
            .init("why", \.why, default: "", "The reason."),
        ]
    )
}

/// Something that is not done by the end of a plan.
package struct PlanWait: Shaped {
    package var object: String = ""
    package var text: String = ""

    package init() {}

    package init(object: String, text: String) {
        self.object = object
        self.text = text
    }

    package static let shape: Shape<PlanWait> = Shape(
        "PlanWait",
        "Something that is not done by the end of a plan.",
        fields: [
            .init("object", \.object, default: "", "The object that waits: KIND/NAMESPACE/NAME."),
            .init("text", \.text, default: "", "What it waits for, for people."),
        ]
    )
}

/// What a merge changes in one declared object.
package struct PlanChange: Shaped {
    package var object: String = ""
    package var action: PlanAction = .change
    /// Why an object is left although its file is gone.
    package var why: String = ""

    package init() {}

    package init(_ object: ObjectKey, _ action: PlanAction, why: String = "") {
        self.object = object.description
        self.action = action
        self.why = why
    }

    package static let shape: Shape<PlanChange> = Shape(
        "PlanChange",
        "What a merge changes in one declared object.",
        fields: [
            .init(required: "object", \.object, "The object: KIND/NAMESPACE/NAME."),
            .init(required: "action", \.action, "What becomes of it."),
            .init("why", \.why, default: "", "Why it is left although its file is gone."),
        ]
    )
}

/// What becomes of a declared object.
package enum PlanAction: String, WordShapeValue {
    case create
    case change
    case delete
    /// Its file is gone, and it stays.
    case keep
}
