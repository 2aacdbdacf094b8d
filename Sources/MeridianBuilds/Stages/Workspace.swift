// Workspace: the directories of one build.
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

/// A directory per build with the source, a scratch home and the files that were set aside for the bundle.
///
/// It is named by the source's digest, so the same source is built at the same path and compilers that write paths into
/// their output give the same bytes. Only one build runs at a time, so the name is free.
struct Workspace {
    /// The user of builds when Meridian runs as root: no account has it, and no file of the machine belongs to it.
    static let buildUser: uid_t = 65_533
    /// A cache above this is emptied before the next build; the largest module caches in practice are about half of it.
    static let cacheBytesMax: Int64 = 10 << 30

    let directory: String
    /// Where the build happens, writable for it.
    var source: String { "\(directory)/source" }
    /// HOME of the build, writable for it.
    var home: String { "\(directory)/home" }
    /// Out of the build's reach.
    var staging: String { "\(directory)/staging" }

    /// Makes the directories anew and unpacks `archive` into `source`.
    static func make(in parent: String, for digest: Digest, archive: String) throws(BuildError) -> Workspace {
        let workspace = Workspace(directory: "\(parent)/\(digest.short)")
        try content(.source) { () throws(ContentError) in
            // Also what a builder left behind that was killed: nothing else uses `parent` while this build has its turn.
            try DurableFile.remove(parent)
            for place in [workspace.source, workspace.home, workspace.staging] {
                try DurableFile.createDirectory(place)
            }
            let unpacked = try TarUnpacking.unpack(archive, into: workspace.source, limits: .source)
            guard unpacked.digest == digest else {
                throw ContentError(
                    .corrupted,
                    "the packed source does not have its digest \(digest.short). Apply again"
                )
            }
            try DurableFile.createDirectory("\(workspace.source)/\(Recipe.outputDirectory)")
        }
        for place in [workspace.source, workspace.home] { try give(place) }
        return workspace
    }

    /// Makes a cache directory that lasts between builds of one namespace and one preset; emptied where it grew too
    /// large.
    static func makeCache(_ path: String) throws(BuildError) {
        let isTooLarge = try files(.source) { () throws(FileError) in try directorySize(path) > cacheBytesMax }
        try content(.source) { () throws(ContentError) in
            if isTooLarge { try DurableFile.remove(path) }
            try DurableFile.createDirectory(path)
        }
        guard geteuid() == 0, lchown(path, buildUser, buildUser) != 0 else { return }
        throw BuildError(file: FileError("change the owner of", path), stage: .source)
    }

    /// Removes everything; what cannot be removed is removed before the next build of the same source.
    func remove() {
        do throws(ContentError) {
            try DurableFile.remove(directory)
        } catch {
            // Nothing depends on it: the build's result is in the registry, and `make` removes before it makes.
        }
    }

    private static func give(_ place: String) throws(BuildError) {
        guard geteuid() == 0 else { return }
        try files(.source) { () throws(FileError) in try giveDirectory(place, to: buildUser) }
    }
}
