// BackupManifest: what a backup says of itself: where it is from, and each file with its size and digest.
package import MeridianModel

/// The table of contents of a backup, its last entry but one.
///
/// It comes after what it lists, so that a backup is written in one pass, and a file that was cut has none.
package struct BackupManifest: Sendable, Hashable {
    /// One file of the backup.
    package struct Entry: Sendable, Hashable {
        package let path: TarPath
        package let size: Int
        package let digest: Digest
    }

    /// What is known before the first byte.
    package struct Facts: Sendable, Hashable {
        /// The version of the program that made the backup.
        package let version: String
        package let createdAt: Timestamp
        /// The revision that the store was copied at.
        package let revision: Int64
        /// Whether the keys are in it: those that open its Secrets, and the API's own.
        package let hasKeys: Bool
        /// Blobs that the registry held with other bytes than their digest says, so that they are not in the backup.
        package let damaged: [Digest]

        package init(version: String, createdAt: Timestamp, revision: Int64, hasKeys: Bool, damaged: [Digest]) {
            self.version = version
            self.createdAt = createdAt
            self.revision = revision
            self.hasKeys = hasKeys
            self.damaged = damaged
        }
    }

    package let facts: Facts
    /// In the order of the archive.
    package let entries: [Entry]

    /// The names of the two entries that close a backup: this list, and its SHA-256 in hexadecimal digits.
    static let listName = "manifest.json"
    static let digestName = "manifest.sha256"
    /// A later form has another number, and is refused by programs that do not know it.
    private static let format: Int64 = 1
    /// Some 400,000 files.
    static let bytesMax = 64 << 20

    init(facts: Facts, entries: [Entry]) {
        self.facts = facts
        self.entries = entries
    }

    /// The list as it is stored.
    var bytes: [UInt8] {
        let list: JSONValue = [
            "format": .integer(Self.format), "version": .string(facts.version),
            "createdAt": .string(facts.createdAt.description), "revision": .integer(facts.revision),
            "keys": .bool(facts.hasKeys), "damaged": .array(facts.damaged.map { .string($0.description) }),
            "files": .array(
                entries.map { entry in
                    [
                        "path": .string(entry.path.description), "size": .integer(Int64(entry.size)),
                        "digest": .string(entry.digest.description),
                    ]
                }
            ),
        ]
        return list.utf8(pretty: true)
    }

    /// Reads a list.
    ///
    /// - Throws: `.refused` for another format, `.corrupted` for what is no list.
    init(bytes: [UInt8]) throws(ContentError) {
        let list: JSONValue
        do throws(JSONSyntaxError) {
            list = try JSONValue(parsing: bytes)
        } catch {
            throw ContentError(.corrupted, "\(Self.listName) is not JSON (\(error)); the backup is damaged")
        }
        guard list["format"]?.integer == Self.format else {
            throw ContentError(
                .refused,
                "the backup has another format than this program knows (\(Self.format)). Use the program's version"
                    + " that made it: \(list["version"]?.string ?? "unknown")"
            )
        }
        guard let version = list["version"]?.string, let revision = list["revision"]?.integer,
            let createdAt = list["createdAt"]?.string.flatMap({ Timestamp($0) }),
            case .bool(let hasKeys)? = list["keys"],
            let damaged = list["damaged"]?.array?.map({ $0.string.flatMap { Digest($0) } }),
            let files = list["files"]?.array, !damaged.contains(nil)
        else { throw ContentError(.corrupted, "\(Self.listName) lacks a field; the backup is damaged") }
        facts = Facts(
            version: version,
            createdAt: createdAt,
            revision: revision,
            hasKeys: hasKeys,
            damaged: damaged.compactMap(\.self)
        )
        var entries: [Entry] = []
        for file in files {
            guard let path = file["path"]?.string, let size = file["size"]?.integer,
                let digest = file["digest"]?.string.flatMap({ Digest($0) })
            else { throw ContentError(.corrupted, "\(Self.listName) has an incomplete file; the backup is damaged") }
            entries.append(Entry(path: try TarPath(path), size: Int(size), digest: digest))
        }
        self.entries = entries
    }
}
