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

        init(_ json: JSONValue) {
            text = json["text"]?.string ?? "?"
            object = json["object"]?.string ?? ""
            why = json["why"]?.string ?? ""
        }
    }

    /// The effects in a few words each.
    let summary: [String]
    let steps: [Step]
    /// What a merge changes in the declared objects.
    let changes: [PlanChange]
    /// What is wrong with the files of the newer revision, one line each.
    let problems: [String]
    /// What is not done by then, one line each.
    let waits: [String]
    /// The document as programs read it.
    let json: JSONValue

    /// Reads a server's plan document, to which a comparison of revisions adds what a merge changes; members that the
    /// document lacks count as empty.
    init(_ document: JSONValue, changes: [PlanChange] = [], problems: [GitProblem] = []) {
        summary = (document["summary"]?.array ?? []).compactMap(\.string)
        steps = (document["steps"]?.array ?? []).map(Step.init)
        waits = (document["waiting"]?.array ?? []).map {
            "\($0["object"]?.string ?? "?") waits: \($0["text"]?.string ?? "?")"
        }
        self.changes = changes
        self.problems = problems.map(\.text)
        var members = document.object ?? JSONObject()
        if !changes.isEmpty { members["changes"] = .array(changes.map { $0.encoded(explicit: true) }) }
        if !problems.isEmpty { members["problems"] = .array(problems.map { $0.encoded(explicit: true) }) }
        json = .object(members)
    }

    /// Whether anything would happen.
    var hasChanges: Bool { !steps.isEmpty || changes.contains { $0.action != .keep } }

    /// The effects on one line, what a merge changes, one paragraph per object with a line per step, and a last line with
    /// the number of steps.
    var text: String {
        var lines = problems.map { "problem: \($0)" }
        if !summary.isEmpty { lines.append(summary.joined(separator: " · ")) }
        lines += changes.map { change in
            "\(change.action.rawValue) \(change.object)" + (change.why.isEmpty ? "" : " \(change.why)")
        }
        var object = ""
        for step in steps {
            if step.object != object, !step.object.isEmpty {
                object = step.object
                lines.append(object)
            }
            lines.append("  \(step.text)" + (step.why.isEmpty ? "" : ", because \(step.why)"))
        }
        lines += waits
        lines.append(steps.isEmpty ? "Nothing to do." : "\(counted(steps.count, "step")) to take.")
        return lines.joined(separator: "\n") + "\n"
    }
}
