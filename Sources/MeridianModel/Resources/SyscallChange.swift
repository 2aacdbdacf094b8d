// SyscallChange: what a change of an allowlist adds and removes, in syscalls and not in groups.

/// The syscalls that one allowlist permits and another does not.
package struct SyscallChange: Equatable, Sendable {
    /// Sorted by name.
    package let added: [String]
    /// Sorted by name.
    package let removed: [String]

    /// From the syscalls that may be made before to those that may be made after.
    package init(from before: [String], to after: [String]) {
        added = Set(after).subtracting(before).sorted()
        removed = Set(before).subtracting(after).sorted()
    }

    /// Whether the same calls may be made.
    package var isEmpty: Bool { added.isEmpty && removed.isEmpty }

    /// `+keyctl +ptrace -socket`; beyond `most` names only how many more there are.
    package func words(most: Int = .max) -> String {
        let all = added.map { "+\($0)" } + removed.map { "-\($0)" }
        let rest = all.count - most
        guard rest > 0 else { return all.joined(separator: " ") }
        return all.prefix(most).joined(separator: " ") + " and \(rest) more"
    }
}
