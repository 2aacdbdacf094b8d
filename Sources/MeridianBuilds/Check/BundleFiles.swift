// BundleFiles: the files of a bundle, copied out of the reach of the build before they are looked at.
internal import CLinux
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

/// What will be at `/app`, by its path there.
struct BundleFiles {
    /// One file that was set aside.
    struct File {
        /// The copy on disk.
        let copy: String
        let isExecutable: Bool
        /// What it says about itself, where it is an ELF file.
        let elf: ELFFile?
        /// The directory that the file came from, for `$ORIGIN`.
        let origin: String
    }

    /// A directory that only Meridian writes to.
    private let directory: String
    private(set) var files: [String: File] = [:]

    init(directory: String) { self.directory = directory }

    /// Copies an open file to the bundle path `path`.
    ///
    /// - Throws: `SourceInvalid` where the path is taken or the file is a broken ELF file.
    mutating func add(_ file: TreeFile, at path: String, origin: String, isExecutable: Bool) throws(BuildError) {
        guard files[path] == nil else {
            throw BuildError(
                reason: "SourceInvalid",
                stage: .check,
                message: "two files would be \(path) in the bundle. Rename the executable or the asset"
            )
        }
        // Copies are numbered, so that no name of the source becomes a path of the host.
        let copy = "\(directory)/\(files.count)"
        try MeridianBuilds.files(.check) { () throws(FileError) in try file.copy(to: copy, mode: 0o600) }
        let elf: ELFFile?
        do throws(ELFError) {
            elf = try file.elf()
        } catch {
            throw BuildError(
                reason: "SourceInvalid",
                stage: .check,
                message:
                    "\(file.path) is a broken ELF file: \(error). Build it again, or leave it out of spec.build.assets"
            )
        }
        files[path] = File(copy: copy, isExecutable: isExecutable, elf: elf, origin: origin)
    }

    /// Copies a file of the source, or a directory with everything in it, to the same path in the bundle.
    mutating func addAsset(_ path: String, as bundlePath: String, from tree: SourceTree) throws(BuildError) {
        var waiting = [(from: path, to: bundlePath, depth: 0)]
        while let (from, to, depth) = waiting.popLast() {
            guard depth <= SourceTree.depthMax else {
                throw BuildError(
                    reason: "SourceInvalid",
                    stage: .check,
                    message:
                        "asset \(path): \(from) is deeper than \(SourceTree.depthMax) levels, "
                        + "or a link leads in a circle"
                )
            }
            switch tree.kind(of: from) {
            case .directory:
                let entries = try MeridianBuilds.files(.check) { () throws(FileError) in try tree.entries(of: from) }
                for entry in entries { waiting.append(("\(from)/\(entry.name)", "\(to)/\(entry.name)", depth + 1)) }
            case .file:
                let file = try MeridianBuilds.files(.check) { () throws(FileError) in try tree.open(from) }
                let mode = try MeridianBuilds.files(.check) { () throws(FileError) in try file.metadata().st_mode }
                let parent = from.split(separator: "/").dropLast().joined(separator: "/")
                try add(file, at: to, origin: "\(tree.path)/\(parent)", isExecutable: mode & 0o100 != 0)
            case .link, .other, nil:
                throw BuildError(
                    reason: "SourceInvalid",
                    stage: .check,
                    message: "asset \(from): no file or directory inside the source. Mend spec.build.assets"
                )
            }
            guard files.count <= SourceTree.entryCountMax else {
                throw BuildError(
                    reason: "SourceInvalid",
                    stage: .check,
                    message: "the assets have more than \(SourceTree.entryCountMax) files. Leave some out"
                )
            }
        }
    }

    /// The bundle as items of an archive.
    func items() throws(BuildError) -> [TarItem] {
        var items: [TarItem] = []
        for (path, file) in files {
            let place = try content(.register) { () throws(ContentError) in try TarPath(path) }
            items.append(TarItem(path: place, content: .file(file.copy), isExecutable: file.isExecutable))
        }
        return items
    }
}
