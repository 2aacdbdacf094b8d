// AppSources: the directories that hold an app's source and are not read for manifests.

internal import MeridianModel

/// The `spec.source.path` directories of the App manifests read so far.
struct AppSources {
    /// One App's source.
    private struct Source: Hashable {
        /// The real path of the source directory.
        let directory: String
        /// The real path of the directory of the manifest that names it.
        let declaredIn: String
    }

    private var sources: Set<Source> = []

    /// Takes note of the sources that the Apps among `documents` name; all come from one file in `directory`.
    mutating func note(_ documents: [ManifestDocument], directory: String) {
        guard let declaredIn = FileReading.realPath(directory) else { return }
        for document in documents where document.value["kind"]?.string == "App" {
            guard let path = document.value[FieldPath("spec", "source", "path")]?.string else { continue }
            let place = path.hasPrefix("/") ? path : "\(directory)/\(path)"
            guard let source = FileReading.realPath(place) else { continue }
            sources.insert(Source(directory: source, declaredIn: declaredIn))
        }
    }

    /// Whether the manifests directly in `directory`, a real path, belong to an app's source.
    ///
    /// Those beside the App's own manifest do not: they were put there by whoever deploys.
    func contain(_ directory: String) -> Bool {
        sources.contains { source in
            source.declaredIn != directory
                && (directory == source.directory || directory.hasPrefix(source.directory.asDirectory))
        }
    }
}

extension String {
    /// This path with one slash at its end.
    fileprivate var asDirectory: String { hasSuffix("/") ? self : self + "/" }
}
