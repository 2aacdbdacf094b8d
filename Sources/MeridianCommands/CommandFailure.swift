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

    /// `place: reason. Next step`.
    var description: String {
        let sentence = "\(place): \(reason)"
        return nextStep.isEmpty ? sentence : "\(sentence). \(nextStep)"
    }
}
