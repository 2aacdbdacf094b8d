// ManifestText: the objects of one manifest text, YAML or JSON, lists flattened.

internal import MeridianModel

/// Reading of manifest texts.
package enum ManifestText {
    /// The objects in `bytes`, which came from `file`.
    ///
    /// The text is JSON when the name ends in `.json` or the first character is `{` or `[`; text under another name that
    /// begins so but is no JSON is read as YAML's flow style. Empty documents are skipped, `kind: List` gives its items,
    /// and a document that is no object is an error. Broken documents do not hide the others, up to a hundred faults.
    package static func read(_ bytes: [UInt8], file: String) -> ManifestSet {
        let text = TextEncoding.withoutByteOrderMark(bytes)
        let parsed = parse(text, mustBeJSON: file.hasSuffix(".json"))
        var problems = parsed.problems
        var objects: [LocatedValue] = []
        for document in parsed.documents where !document.value.isNull {
            flatten(document, into: &objects, problems: &problems)
        }
        return ManifestSet(
            documents: objects.enumerated().map { index, object in
                ManifestDocument(file: file, documentIndex: index, content: object)
            },
            diagnostics: problems.prefix(YAMLText.problemsMax).map {
                Diagnostic(file: file, location: $0.location, message: $0.message)
            }
            .sortedAndUnique
        )
    }

    private static func parse(_ text: [UInt8], mustBeJSON: Bool) -> ParsedText {
        if let problem = TextEncoding.problem(in: text) { return ParsedText(problems: [problem]) }
        guard mustBeJSON || beginsLikeJSON(text) else { return YAMLText.read(text) }
        let (documents, error) = LocatedValue.jsonDocuments(in: text)
        guard let error else { return ParsedText(documents: documents) }
        let json = ParsedText(
            documents: documents,
            problems: [TextProblem(location: error.location, message: error.message)]
        )
        if mustBeJSON { return json }
        let yaml = YAMLText.read(text)
        // The grammar that came further is the one that was meant.
        guard let first = yaml.problems.first, first.location <= error.location else { return yaml }
        return json
    }

    private static func beginsLikeJSON(_ text: [UInt8]) -> Bool {
        guard let first = text.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return false }
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }

    /// Adds `document`, or the items of a `kind: List` at any depth; nesting is bounded by the parsers.
    private static func flatten(
        _ document: LocatedValue,
        into objects: inout [LocatedValue],
        problems: inout [TextProblem]
    ) {
        guard document.value.object != nil else {
            let found = "this document is \(document.value.typeName.withArticle)"
            problems.append(
                TextProblem(
                    location: document.locations.start,
                    message: "\(found); a manifest is an object with apiVersion, kind and metadata"
                )
            )
            return
        }
        guard document.value["kind"]?.string == "List" else {
            objects.append(document)
            return
        }
        guard let items = document["items"]?.elements else {
            let location = document.locations.location(of: FieldPath("items"), key: true)
            problems.append(TextProblem(location: location, message: "a List needs items, an array of objects"))
            return
        }
        for item in items { flatten(item, into: &objects, problems: &problems) }
    }
}

extension String {
    /// `a string`, `an array`, `null`.
    fileprivate var withArticle: String {
        if self == "null" { return self }
        return "aeio".contains(prefix(1)) ? "an \(self)" : "a \(self)"
    }
}
