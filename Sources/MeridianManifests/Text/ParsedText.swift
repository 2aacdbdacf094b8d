// ParsedText: what a parser of manifest text found: documents and problems.

internal import MeridianModel

/// A fault of a text at a place.
struct TextProblem: Error, Hashable {
    let location: SourceLocation
    let message: String
}

/// The documents of one text that could be read, and why the others could not.
struct ParsedText {
    var documents: [LocatedValue] = []
    var problems: [TextProblem] = []
}
