// GitFailures: what the end of a git run means, in words for the person who set the source up.
internal import MeridianPorts

/// The error of a run of git that did not succeed; `what` names the repository and what was tried.
func gitFailure(_ end: ChildEnd, _ what: String) -> GitError {
    switch end.cause {
    case .timedOut:
        return GitError(
            .fetchFailed,
            "\(what): it took longer than the timeout. Raise spec.timeout or mend the network"
        )
    case .cancelled: return GitError(.unavailable, "\(what): stopped")
    case .tooMuchOutput: return GitError(.refused, "\(what): the repository is larger than what is read here")
    case .wrongOutput: return GitError(.damaged, "\(what): git answers with something else")
    case .notStarted(let code): return GitError(.unavailable, "\(what): git cannot be started (error \(code))")
    case .signalled(let signal): return GitError(.unavailable, "\(what): git was killed by signal \(signal)")
    case .exited:
        let words = gitWords(end.errors)
        return GitError(code(of: end.errors), "\(what): \(words.isEmpty ? "git says nothing more" : words)")
    }
}

/// The error of a run on the copy on this machine: where git itself gave up, the copy is damaged.
func readFailure(_ end: ChildEnd, _ what: String) -> GitError {
    let failure = gitFailure(end, what)
    guard case .exited = end.cause else { return failure }
    return GitError(.damaged, failure.message)
}

/// Git's own error lines, without hints and progress, on one line.
private func gitWords(_ errors: String) -> String {
    // More lines say nothing that the first ones do not.
    let linesMax = 4
    let lines = errors.split(whereSeparator: \.isNewline).map { shownLine($0.utf8) }
    let telling = lines.filter { $0.hasPrefix("fatal:") || $0.hasPrefix("error:") || $0.contains("denied") }
    return (telling.isEmpty ? lines : telling).prefix(linesMax).joined(separator: "; ")
}

private func code(of errors: String) -> GitError.Code {
    let unauthorized = [
        "Authentication failed", "could not read Username", "could not read Password", "Permission denied",
        "Host key verification failed", "error: 401", "error: 403", "terminal prompts disabled",
    ]
    if unauthorized.contains(where: errors.contains) { return .unauthorized }
    if errors.contains("couldn't find remote ref") { return .refMissing }
    if errors.contains("File too large") || errors.contains("file size limit") { return .refused }
    if errors.contains("No space left on device") { return .unavailable }
    return .fetchFailed
}
