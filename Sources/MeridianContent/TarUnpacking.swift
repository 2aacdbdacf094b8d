// TarUnpacking: an archive onto the disk, in such a way that no entry can reach outside.
internal import Glibc

/// Unpacks archives.
package enum TarUnpacking {
    /// Unpacks the archive in the file `archive` into the directory `root`, which must exist and be empty.
    ///
    /// Files get mode 0644 or 0755, directories 0755, whatever the archive or the umask says. Directories are opened
    /// one component at a time and links are never followed, so a link that was planted earlier redirects nothing; at the
    /// end every symbolic link is checked to stay inside. After an error the directory holds a part: the caller removes it.
    /// - Returns: the digest and size of the bytes that were unpacked, for the caller to compare.
    /// - Throws: `.refused` and `.corrupted`, naming the entry; `.unavailable`.
    package static func unpack(
        _ archive: String,
        into root: String,
        limits: ArchiveLimits
    ) throws(ContentError) -> PackedTar {
        try unpack(OpenFile(archive, O_RDONLY), into: root, limits: limits)
    }

    /// Unpacks from an open file at its current position.
    package static func unpack(
        _ archive: consuming OpenFile,
        into root: String,
        limits: ArchiveLimits
    ) throws(ContentError) -> PackedTar {
        var reader = TarReader(archive, limits: limits)
        var tree = try UnpackedTree.at(root)
        while let entry = try reader.next() {
            switch entry.kind {
            case .directory: try tree.makeDirectory(entry.path)
            case .symbolicLink(let target): try tree.link(entry.path, target: target)
            case .hardLink(let old): try tree.hardLink(entry.path, to: old)
            case .file(_, let isExecutable):
                let file = try tree.createFile(entry.path, isExecutable: isExecutable)
                try reader.readBody { (piece) throws(ContentError) in try file.write(piece) }
            }
        }
        try tree.links.check()
        return try reader.finish()
    }
}

/// The directory that is being filled.
private struct UnpackedTree: ~Copyable {
    let root: OpenFile
    var links = LinkTable()
    /// The directory of the last entry, since neighbours follow each other.
    private var openFile: OpenFile
    private var openPath: [String] = []

    init(root: consuming OpenFile, openFile: consuming OpenFile) {
        self.root = root
        self.openFile = openFile
    }

    static func at(_ path: String) throws(ContentError) -> UnpackedTree {
        let root = try OpenFile(path, O_RDONLY | O_DIRECTORY)
        let openFile = try OpenFile(path, O_RDONLY | O_DIRECTORY)
        return UnpackedTree(root: root, openFile: openFile)
    }

    mutating func makeDirectory(_ path: TarPath) throws(ContentError) {
        _ = try directory(path.components, of: path)
    }

    mutating func createFile(_ path: TarPath, isExecutable: Bool) throws(ContentError) -> OpenFile {
        let parent = try directory(path.components.dropLast(), of: path)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        let file = try OpenFile(path.name, flags, mode: 0o600, in: parent, named: path.description)
        guard fchmod(file.descriptor, isExecutable ? 0o755 : 0o644) == 0 else {
            throw .system("set the mode of", path.description)
        }
        return file
    }

    mutating func link(_ path: TarPath, target: String) throws(ContentError) {
        let parent = try directory(path.components.dropLast(), of: path)
        guard symlinkat(target, parent, path.name) == 0 else { throw .system("link", path.description) }
        links.add(path, target: target)
    }

    mutating func hardLink(_ path: TarPath, to old: TarPath) throws(ContentError) {
        let source = try open(old.components.dropLast(), of: path)
        let parent = try directory(path.components.dropLast(), of: path)
        var status = stat()
        guard fstatat(source.descriptor, old.name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.isRegularFile else {
            throw ContentError(.refused, "\(path): the hard link's target \(old) is not a file that came earlier")
        }
        guard linkat(source.descriptor, old.name, parent, path.name, 0) == 0 else {
            throw .system("link", path.description)
        }
    }

    /// The descriptor of a directory below the root, made where it is missing; valid until the next call.
    private mutating func directory(
        _ components: some Collection<String>,
        of path: TarPath
    ) throws(ContentError) -> Int32 {
        if !openPath.elementsEqual(components) {
            openFile = try open(components, of: path)
            openPath = Array(components)
        }
        return openFile.descriptor
    }

    private func open(_ components: some Collection<String>, of path: TarPath) throws(ContentError) -> OpenFile {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
        var current = try OpenFile(".", flags, in: root.descriptor, named: path.description)
        for component in components {
            if mkdirat(current.descriptor, component, 0o755) == 0 {
                fchmodat(current.descriptor, component, 0o755, 0)
            } else if errno != EEXIST {
                throw .system("create a directory of", path.description)
            }
            let next = openat(current.descriptor, component, flags | O_CLOEXEC)
            guard next >= 0 else {
                throw ContentError(.refused, "\(path): \(component) in its path is a file or a link, not a directory")
            }
            current = OpenFile(descriptor: next, path: path.description)
        }
        return current
    }
}
