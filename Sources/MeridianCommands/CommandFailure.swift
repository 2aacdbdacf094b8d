// CommandFailure: why a verb could not do its work, in words for a terminal.

/// An error with its place, its reason and the next step.
struct CommandFailure: Error, Hashable, CustomStringConvertible {
    /// What the error is about: `--server`, `app/hello`, a file.
    let place: String
    let reason: String
    /// What to do now; empty where nothing can be said.
    let nextStep: String

    init(_ place: String, _ reason: String, next nextStep: String = "") {
        self.place = place
        self.reason = reason
        self.nextStep = nextStep
    }

    /// `place: reason. Next step`; below a reason of several lines, such as a program's output, the step has its own.
    var description: String {
        let sentence = "\(place): \(reason)"
        guard !nextStep.isEmpty else { return sentence }
        return sentence + (reason.contains("\n") ? "\n" : ". ") + nextStep
    }
}
