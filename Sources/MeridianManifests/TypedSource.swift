// TypedSource: whether the directory that an App names as its source is there.

internal import Glibc
internal import MeridianModel

/// The check of `spec.source.path` against the file system.
enum TypedSource {
    private static let path = FieldPath("spec", "source", "path")

    /// What is wrong with the source directory that `document` names; nil for other kinds, and for a source that is named
    /// by its digest, whose directory need not be here.
    static func diagnostic(_ document: ManifestDocument) -> Diagnostic? {
        guard document.value["kind"]?.string == App.kind, let source = document.value[path]?.string,
            document.value[FieldPath("spec", "source", "digest")]?.string == nil,
            !source.isEmpty, let fault = fault(of: source, from: document)
        else { return nil }
        return document.diagnostic(for: path, fault)
    }

    private static func fault(of source: String, from document: ManifestDocument) -> String? {
        let place = document.resolved(source)
        var status = stat()
        guard stat(place, &status) == 0 else {
            return "no directory \"\(source)\" (looked for \(place))\(hint(for: place))"
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            return "\"\(source)\" is a file, not a directory. Name the directory that holds the source"
        }
        guard access(place, R_OK | X_OK) == 0 else {
            return "the directory \"\(source)\" cannot be read: \(String(cString: strerror(errno)))"
        }
        return nil
    }

    /// The neighbour that was probably meant, or the rule that the path is read by.
    private static func hint(for place: String) -> String {
        let parts = place.split(separator: "/", omittingEmptySubsequences: true)
        let parent = (place.hasPrefix("/") ? "/" : "") + parts.dropLast().joined(separator: "/")
        let neighbours = try? FileReading.entries(of: parent.isEmpty ? "." : parent)
        let directories = (neighbours ?? []).filter { $0.kind == .directory }.map(\.name)
        guard let last = parts.last, let near = suggestion(for: String(last), among: directories) else {
            return ". The path is relative to the manifest's file"
        }
        return ": did you mean \"\(near)\"?"
    }
}

extension ManifestDocument {
    /// The place of `path` in the file system: relative paths start at the manifest's directory.
    package func resolved(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        let trimmed = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        if trimmed.isEmpty || trimmed == "." { return directory }
        return directory == "." ? trimmed : directory.hasSuffix("/") ? directory + trimmed : "\(directory)/\(trimmed)"
    }
}
