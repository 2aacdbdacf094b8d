// Diagnostic: one thing to tell a person about a manifest, with its place.

package import MeridianModel

/// An error or a warning about one place of one file.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    /// How bad it is.
    package enum Severity: Int, Hashable, Sendable {
        /// The manifests cannot be used.
        case error
        /// The manifests can be used, but probably not as meant.
        case warning
    }

    /// The file as the person named it.
    package let file: String
    /// The place in the file; nil when it concerns the file as a whole.
    package let location: SourceLocation?
    /// Error or warning.
    package let severity: Severity
    /// What is wrong and what to do.
    package let message: String

    package init(file: String, location: SourceLocation?, severity: Severity = .error, message: String) {
        self.file = file
        self.location = location
        self.severity = severity
        self.message = message
    }

    /// The line, counted from 1; nil when the file as a whole is meant.
    package var line: Int? { location?.line }

    /// The column in Unicode scalars, counted from 1; nil when the file as a whole is meant.
    package var column: Int? { location?.column }

    /// `file:line:column: message`, with `warning: ` before the message of a warning; no place without a location.
    package var description: String {
        let place = location.map { ":\($0)" } ?? ""
        return "\(file)\(place): \(severity == .warning ? "warning: " : "")\(message)"
    }
}

extension Diagnostic: Comparable {
    /// By file, place, severity (errors first) and message.
    package static func < (left: Diagnostic, right: Diagnostic) -> Bool {
        if left.file != right.file { return left.file < right.file }
        if left.location != right.location {
            return (left.location ?? SourceLocation(line: 0, column: 0))
                < (right.location ?? SourceLocation(line: 0, column: 0))
        }
        return (left.severity.rawValue, left.message) < (right.severity.rawValue, right.message)
    }
}

extension Sequence<Diagnostic> {
    /// Every diagnostic once, in the order in which a person reads them.
    package var sortedAndUnique: [Diagnostic] { Set(self).sorted() }

    /// Whether there is an error among them.
    package var hasErrors: Bool { contains { $0.severity == .error } }
}
