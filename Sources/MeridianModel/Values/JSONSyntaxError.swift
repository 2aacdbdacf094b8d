// JSONSyntaxError: why a text is not the JSON that a parser was asked for.

/// The first fault of a JSON text.
package struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where the fault is.
    package let location: SourceLocation
    /// The fault's distance from the beginning of the text in bytes.
    package let offset: Int
    /// What is wrong and, where it is not plain, how to mend it.
    package let message: String

    /// The line, counted from 1.
    package var line: Int { location.line }
    /// The column in Unicode scalars, counted from 1.
    package var column: Int { location.column }

    package init(location: SourceLocation, offset: Int, message: String) {
        self.location = location
        self.offset = offset
        self.message = message
    }

    /// `line:column: message`.
    package var description: String { "\(location): \(message)" }
}

/// What a parser does with an object that has the same key twice.
package enum DuplicateKeyRule: Sendable {
    /// The text is refused at the second key: RFC 8259 §4 leaves the meaning open, so no guess is safe.
    case refuse
    /// The last value counts and stands at the first one's place, as most JSON readers do.
    case lastWins
}
