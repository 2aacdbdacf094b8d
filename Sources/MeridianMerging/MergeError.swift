// MergeError: why objects could not be merged, in words for the person who applied one.

/// What this module throws.
package struct MergeError: Error, Hashable, Sendable {
    /// The kinds of failure, which the API answers differently.
    package enum Code: String, Sendable {
        /// Fields would change that other managers own.
        case conflict
        /// The applied object cannot be merged: an item twice, an item without its key.
        case invalid
        /// Text that follows no grammar: FieldsV1, a managed fields entry, a JSON Patch.
        case malformed
        /// A patch does not fit the object: a path leads nowhere, a `test` failed.
        case unfit
        /// A bound was reached; the message names it.
        case tooLarge
    }

    package let code: Code
    /// What failed, on what, and the next step where one is known.
    package let message: String
    /// Where in the object the failure is, as `PathElement` writes it; empty where it is no one place.
    package let path: String
    /// For `conflict`: one per field and manager, sorted by manager and path; otherwise empty.
    package let conflicts: [Conflict]

    /// One field that another manager owns with another value.
    package struct Conflict: Hashable, Sendable {
        package let owner: ManagedFieldsEntry
        package let path: [PathElement]

        /// The path as messages write it: `.spec.env.A`.
        package var pathText: String { path.map(\.description).joined() }
    }

    init(_ code: Code, _ message: String, path: [PathElement] = []) {
        self.code = code
        self.message = message
        self.path = path.map(\.description).joined()
        conflicts = []
    }

    /// The failure of an apply: `conflicts` is not empty.
    init(conflicts: [Conflict]) {
        code = .conflict
        path = ""
        self.conflicts = conflicts.sorted {
            $0.owner.manager == $1.owner.manager
                ? $0.path.lexicographicallyPrecedes($1.path)
                : $0.owner.manager < $1.owner.manager
        }
        message = Self.message(self.conflicts)
    }

    /// Kubernetes' words, which kubectl's users know and its hint follows.
    private static func message(_ conflicts: [Conflict]) -> String {
        if conflicts.count == 1, let only = conflicts.first {
            return "Apply failed with 1 conflict: conflict with \(only.owner.title): \(only.pathText)"
        }
        var lines: [String] = []
        var title: String?
        for conflict in conflicts {
            if conflict.owner.title != title { lines.append("conflicts with \(conflict.owner.title):") }
            title = conflict.owner.title
            lines.append("- \(conflict.pathText)")
        }
        return "Apply failed with \(conflicts.count) conflicts: \(lines.joined(separator: "\n"))"
    }
}
