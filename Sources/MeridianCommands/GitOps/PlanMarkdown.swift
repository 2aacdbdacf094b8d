// PlanMarkdown: a plan as the comment on a pull request.

internal import MeridianModel

/// A plan's document in Markdown (CommonMark with GitHub's tables).
struct PlanMarkdown {
    let plan: PlanText
    /// `main..feature`.
    let title: String

    /// Rows of one table, beyond which a host cuts the comment anyway.
    private static let rowsMax = 200

    var text: String {
        var parts = ["### Meridian plan for `\(title)`", headline]
        if !plan.problems.isEmpty { parts.append(problems) }
        if !plan.changes.isEmpty { parts.append(changes) }
        if !plan.steps.isEmpty { parts.append(steps) }
        if !plan.waits.isEmpty { parts.append(plan.waits.map { "- \(escaped($0))" }.joined(separator: "\n")) }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private var headline: String {
        if !plan.summary.isEmpty { return "**\(escaped(plan.summary.joined(separator: " · ")))**" }
        return plan.hasChanges ? "**Nothing that serves changes.**" : "**Nothing to do.**"
    }

    private var problems: String {
        let lines = plan.problems.prefix(Self.rowsMax).map { "- :warning: \(escaped($0))" }
        return "The files have problems; what they declare stays as it is:\n\n" + lines.joined(separator: "\n")
    }

    private var changes: String {
        let rows = plan.changes.prefix(Self.rowsMax).map { change in
            "| \(change.action.rawValue) | `\(change.object)` | \(escaped(change.why)) |"
        }
        let rest = plan.changes.count - rows.count
        return (["| | object | |", "|---|---|---|"] + rows + (rest > 0 ? ["| | and \(rest) more | |"] : []))
            .joined(separator: "\n")
    }

    private var steps: String {
        let lines = plan.steps.prefix(Self.rowsMax).map { step in
            "- \(escaped(step.text))" + (step.why.isEmpty ? "" : " — \(escaped(step.why))")
        }
        return "<details><summary>\(counted(plan.steps.count, "step"))</summary>\n\n"
            + lines.joined(separator: "\n") + "\n\n</details>"
    }

    /// Text without what Markdown would take for markup, on one line.
    private func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            if character.isNewline {
                result += " "
            } else {
                if "\\`*_[]<>|#".contains(character) { result += "\\" }
                result.append(character)
            }
        }
        return result
    }
}
