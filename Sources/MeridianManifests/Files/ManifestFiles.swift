// ManifestFiles: from the `-f` arguments of a command to the objects in the files.

/// Reads what `-f` names: files, directories and standard input.
package struct ManifestFiles {
    /// A manifest is a few kilobytes; this leaves room for generated ones and keeps a wrong path from filling memory.
    package static let fileBytesMax = 16 << 20

    /// More files than a person keeps in one tree of manifests; a wrong `-R` stops here.
    package static let filesMax = 10_000

    /// The levels of directories that `-R` descends.
    package static let directoryDepthMax = 64

    /// The name of standard input in messages.
    package static let standardInputName = "stdin"

    private static let extensions = [".yaml", ".yml", ".json"]

    /// Whether directories are read with their subdirectories.
    private let recursive: Bool
    private var sources = AppSources()
    /// The real paths of all files that were read, so that none is read twice.
    private var seen: Set<String> = []
    /// The number of manifest files met, those read before included.
    private var filesFound = 0
    private var files: [ReadFile] = []
    private var diagnostics: [Diagnostic] = []

    /// One file's objects and diagnostics.
    private struct ReadFile {
        let content: ManifestSet
        /// The real path of its directory when a recursive search found it, else nil.
        let foundIn: String?
    }

    /// Reads every argument; problems of one do not hide the others.
    ///
    /// A directory gives its `*.yaml`, `*.yml` and `*.json` files in order of name; with `recursive` also those of its
    /// subdirectories, except hidden ones, links, and directories that are the `spec.source.path` of an App read in the
    /// same call (manifests beside the App's own are read nevertheless). `-` is standard input, read by
    /// `standardInput`. A file named twice is read once.
    package static func read(
        _ arguments: [String],
        recursive: Bool = false,
        standardInput: () -> [UInt8]? = { nil }
    ) -> ManifestSet {
        var reader = ManifestFiles(recursive: recursive)
        for argument in arguments {
            if argument == "-" {
                reader.readStandardInput(standardInput)
            } else {
                reader.readArgument(argument)
            }
        }
        return reader.result
    }

    private init(recursive: Bool) { self.recursive = recursive }

    /// All that was read, without what turned out to lie in an app's source.
    private var result: ManifestSet {
        let kept = files.filter { file in file.foundIn.map { !sources.contain($0) } ?? true }
        return ManifestSet(
            documents: kept.flatMap(\.content.documents),
            diagnostics: (diagnostics + kept.flatMap(\.content.diagnostics)).sortedAndUnique
        )
    }

    private mutating func readStandardInput(_ standardInput: () -> [UInt8]?) {
        guard seen.insert("-").inserted else {
            return note(Self.standardInputName, "can be read only once. Give -f - one time")
        }
        do throws(FileProblem) {
            let bytes =
                if let bytes = standardInput() { bytes } else {
                    try FileReading.bytes(from: 0, limit: Self.fileBytesMax)
                }
            add(ManifestText.read(bytes, file: Self.standardInputName), directory: ".", foundIn: nil)
        } catch {
            note(Self.standardInputName, error.message)
        }
    }

    private mutating func readArgument(_ path: String) {
        do throws(FileProblem) {
            guard try FileReading.kind(of: path) == .directory else { return readFile(path, foundIn: nil) }
            let before = filesFound
            readDirectory(path)
            guard filesFound == before, diagnostics.allSatisfy({ $0.file != path }) else { return }
            note(path, "has no .yaml, .yml or .json file. Name another directory\(recursive ? "" : ", or add -R")")
        } catch {
            note(path, error.message)
        }
    }

    /// Reads the manifests in `root`, level by level, so that an App above its source keeps the source from being read.
    private mutating func readDirectory(_ root: String) {
        var level = [root]
        for depth in 0...Self.directoryDepthMax {
            var next: [String] = []
            for directory in level { next += readEntries(of: directory, isRoot: depth == 0) }
            guard recursive, !next.isEmpty else { return }
            level = next
        }
        note(root, "has more than \(Self.directoryDepthMax) levels of directories. Name a directory further down")
    }

    /// Reads the manifests directly in `directory` and returns its subdirectories.
    private mutating func readEntries(of directory: String, isRoot: Bool) -> [String] {
        guard let real = FileReading.realPath(directory), isRoot || !sources.contain(real) else { return [] }
        var subdirectories: [String] = []
        do throws(FileProblem) {
            for (name, kind) in try FileReading.entries(of: directory) {
                let path = directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
                switch kind {
                case .directory: subdirectories.append(path)
                case .file where Self.extensions.contains(where: name.hasSuffix):
                    readFile(path, foundIn: isRoot ? nil : real)
                case .file, .other: continue
                }
            }
        } catch {
            note(directory, error.message)
        }
        return subdirectories
    }

    private mutating func readFile(_ path: String, foundIn: String?) {
        filesFound += 1
        guard seen.count < Self.filesMax else {
            return note(path, "is one more than the \(Self.filesMax) files read at most. Name a smaller directory")
        }
        guard seen.insert(FileReading.realPath(path) ?? path).inserted else { return }
        do throws(FileProblem) {
            let bytes = try FileReading.bytes(of: path, limit: Self.fileBytesMax)
            let content = ManifestText.read(bytes, file: path)
            add(content, directory: ManifestDocument.directory(of: path), foundIn: foundIn)
        } catch {
            note(path, error.message)
        }
    }

    private mutating func add(_ content: ManifestSet, directory: String, foundIn: String?) {
        sources.note(content.documents, directory: directory)
        files.append(ReadFile(content: content, foundIn: foundIn))
    }

    private mutating func note(_ file: String, _ message: String) {
        diagnostics.append(Diagnostic(file: file, location: nil, message: message))
    }
}
