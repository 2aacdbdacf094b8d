// DeniedWords: what to say of syscalls that a runner was denied, with the line to add.

/// What to say of denied syscalls.
package enum DeniedWords {
    /// `blocked syscall ptrace: add to the SyscallAllowlist web `allow: [ptrace]``.
    ///
    /// Calls that are in `allowed` by name were blocked for their arguments, which no allowlist changes. Where the
    /// allowlist is not named, only the line is.
    package static func message(_ denied: [String], allowed: [String], allowlist: String? = nil) -> String {
        let allowed = Set(allowed)
        let missing = denied.filter { !allowed.contains($0) && !hasNoName($0) }
        let others = denied.filter { allowed.contains($0) || hasNoName($0) }
        var parts: [String] = []
        if !missing.isEmpty {
            let names = missing.joined(separator: ", ")
            let place = "the SyscallAllowlist" + (allowlist.map { " \($0)" } ?? "")
            parts.append("blocked syscall \(names): add to \(place) `allow: [\(names)]`")
        }
        if !others.isEmpty {
            let names = others.joined(separator: ", ")
            parts.append("blocked syscall \(names) with arguments that no allowlist permits")
        }
        return parts.joined(separator: "; ")
    }

    /// The name of a number that has none: no allowlist can name it.
    package static func unnamed(_ number: Int32) -> String { "number \(number)" }

    private static func hasNoName(_ name: String) -> Bool { name.contains(" ") }
}
