// RevisionName: how revisions are named after their app.

/// An app's name, a hyphen and a number of five digits: `hello-00003`.
package struct RevisionName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let app: String
    /// From 1 to 99,999.
    package let number: Int

    package init(app: String, number: Int) {
        self.app = app
        self.number = number
    }

    /// Parses `hello-00003`; nil where `text` does not end in a hyphen and five digits.
    package init?(_ text: String) {
        let digits = text.suffix(5)
        let app = text.dropLast(5)
        guard digits.utf8.count == 5, digits.allSatisfy({ $0.isASCII && $0.isNumber }), app.hasSuffix("-"),
            app.count > 1, let number = Int(digits)
        else { return nil }
        self.init(app: String(app.dropLast()), number: number)
    }

    package var description: String {
        let digits = String(number)
        return "\(app)-\(String(repeating: "0", count: max(0, 5 - digits.utf8.count)))\(digits)"
    }

    package static func < (left: RevisionName, right: RevisionName) -> Bool {
        (left.app, left.number) < (right.app, right.number)
    }
}
