// ManifestDocument: one object of a manifest file, and diagnostics at its fields.

package import MeridianModel

/// One object as a file gives it: a YAML or JSON document, or an item of a `kind: List`.
package struct ManifestDocument: Sendable {
    /// The file as the person named it; `stdin` for standard input.
    package let file: String
    /// The object's place among all objects of the file, counted from 0.
    package let documentIndex: Int
    /// The object and the locations of its fields; always a JSON object.
    package let content: LocatedValue

    package init(file: String, documentIndex: Int, content: LocatedValue) {
        self.file = file
        self.documentIndex = documentIndex
        self.content = content
    }

    /// The object.
    package var value: JSONValue { content.value }

    /// The line of its first field, counted from 1.
    package var startLine: Int { content.locations.start.line }

    /// The directory that relative paths in the manifest start from: the file's, or `.` for standard input.
    package var directory: String { Self.directory(of: file) }

    /// The directory part of the path `file`.
    static func directory(of file: String) -> String {
        guard let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == file.utf8.startIndex ? "/" : String(file[..<slash])
    }

    /// A diagnostic at the value at `path`, or at its key when `atKey`.
    ///
    /// A path that the manifest does not have is reported at the nearest ancestor that it has. The message is prefixed
    /// with the path, as in `app.yaml:6:5: spec.scaling.max: must be at least 1`.
    package func diagnostic(
        for path: FieldPath,
        _ message: String,
        atKey: Bool = false,
        severity: Diagnostic.Severity = .error
    ) -> Diagnostic {
        let place = path.elements.isEmpty ? "" : "\(path): "
        return Diagnostic(
            file: file,
            location: content.locations.location(of: path, key: atKey),
            severity: severity,
            message: place + message
        )
    }
}

/// What was read from one or more manifest files.
package struct ManifestSet: Sendable {
    /// The readable objects, in the order of the files and inside them.
    package var documents: [ManifestDocument]
    /// Everything wrong with what could not be read, sorted and each once.
    package var diagnostics: [Diagnostic]

    package init(documents: [ManifestDocument] = [], diagnostics: [Diagnostic] = []) {
        self.documents = documents
        self.diagnostics = diagnostics
    }
}
