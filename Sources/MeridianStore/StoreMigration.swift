// StoreMigration: brings a store's file up to the schema of this program, or leaves it as it was.
internal import GRDB
internal import Glibc
internal import MeridianPorts

/// The upgrade of one file.
///
/// The steps run on a copy that takes the file's place when all of them are done, so that a step that fails, or a crash,
/// leaves the file to the program that wrote it. The old file stays beside the new one (`store.sqlite.v1`) as the way back.
enum StoreMigration {
    /// Does the steps of `migrator` that the file at `path` lacks; nobody has it open.
    static func run(_ path: String, _ migrator: DatabaseMigrator) throws {
        let file = try DatabaseQueue(path: path)
        let applied = try file.read { db in try migrator.appliedIdentifiers(db) }
        let version = migrator.migrations.last(where: applied.contains) ?? "no version"
        let copy = "\(path).upgrade"
        remove(copy)
        do {
            try upgrade(file, in: copy, migrator)
            try file.close()
        } catch {
            remove(copy)
            throw StoreError(
                .unavailable,
                "\(path) cannot be brought from \(version) to this program's schema, and was left as it is: \(error)."
                    + " Go on with the program that wrote it, and report this"
            )
        }
        try replace(path, by: copy, keeping: "\(path).\(version.prefix { $0 != ":" })")
    }

    /// Copies the file and runs the missing steps on the copy, which is one whole file on the disk afterwards.
    private static func upgrade(_ file: DatabaseQueue, in copy: String, _ migrator: DatabaseMigrator) throws {
        let target = try DatabaseQueue(path: copy)
        try file.backup(to: target)
        try migrator.migrate(target)
        let verdict = try target.read { db in try String.fetchOne(db, sql: "PRAGMA quick_check(1)") }
        guard verdict == "ok" else {
            throw StoreError(.unavailable, "the upgraded copy is damaged (\(verdict ?? "no verdict"))")
        }
        // What the copy's write-ahead log holds goes into the file that is about to be renamed without it.
        _ = try target.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
        try target.close()
        // The same for the old file: it is moved alone as well.
        _ = try file.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
    }

    /// Puts the copy in the file's place by one rename, after the file got a second name.
    private static func replace(_ path: String, by copy: String, keeping old: String) throws {
        guard unlink(old) == 0 || errno == ENOENT, link(path, old) == 0 else { throw failure("keep", path) }
        // An old log would be read as the new file's.
        for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
        guard sync(copy), rename(copy, path) == 0, sync(directory(of: path)) else { throw failure("replace", path) }
    }

    private static func failure(_ doing: String, _ path: String) -> StoreError {
        StoreError(.unavailable, "cannot \(doing) \(path): \(String(cString: strerror(errno)))")
    }

    /// Forces a file or a directory to the disk.
    private static func sync(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }

    private static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    private static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
    }
}
