// PlanText: a plan document as text for people.

internal import MeridianModel

/// The steps of a plan as the server describes them.
struct PlanText {
    /// One step.
    struct Step {
        /// What is done.
        let text: String
        /// The object that it is done for: `App/default/hello`.
        let object: String
        /// The reason.
        let why: String
        /// The step as the server wrote it.
        let json: JSONValue

        init(_ json: JSONValue) {
            self.json = json
            text = json["text"]?.string ?? json["kind"]?.string ?? "?"
            object = json["object"]?.string ?? ""
            why = json["why"]?.string ?? ""
        }
    }

    let steps: [Step]
    private let waiting: [JSONValue]

    /// Reads a plan document; members that it lacks count as empty.
    init(_ document: JSONValue) {
        steps = (document["steps"]?.array ?? []).map(Step.init)
        waiting = document["waiting"]?.array ?? []
    }

    var json: JSONValue { ["steps": .array(steps.map(\.json)), "waiting": .array(waiting)] }

    /// One paragraph per object, one line per step, and a last line with the number of steps.
    var text: String {
        var lines: [String] = []
        var object = ""
        for step in steps {
            if step.object != object, !step.object.isEmpty {
                object = step.object
                lines.append(object)
            }
            lines.append("  \(step.text)" + (step.why.isEmpty ? "" : ", because \(step.why)"))
        }
        for wait in waiting {
            lines.append("\(wait["object"]?.string ?? "?") waits: \(wait["text"]?.string ?? "?")")
        }
        lines.append(steps.isEmpty ? "Nothing to do." : "\(counted(steps.count, "step")) to take.")
        return lines.joined(separator: "\n") + "\n"
    }
}
