// BackupLayout: what is where in a backup: the places that it has in a data directory.
import MeridianContent
import MeridianModel

/// The names of a backup's files, which are relative to the data directory.
enum BackupLayout {
    static let store = "store.sqlite"
    static let keyDirectories = ["keys", "tls"]
    static let sealingKey = "keys/sealing.key"
    /// Key pairs for Git; what is secret in them is sealed, so that they are in every backup.
    static let sealKeys = "seal"
    private static let blobs = "registry/blobs/sha256"
    private static let auditLog = "audit.log"

    static func blob(_ digest: Digest) -> String { "\(blobs)/\(digest.hex)" }

    /// The digest that a file is named by; nil: it is no blob.
    static func blobDigest(_ path: TarPath) -> Digest? {
        path.components.dropLast().joined(separator: "/") == blobs ? Digest(hex: path.components.last ?? "") : nil
    }

    /// Whether a name in the data directory is the audit log's or one of its predecessors'.
    static func isAuditLog(_ name: String) -> Bool {
        guard name.hasPrefix(auditLog) else { return false }
        let rest = name.dropFirst(auditLog.count)
        return rest.isEmpty
            || (rest.first == "." && !rest.dropFirst().isEmpty && rest.dropFirst().allSatisfy(\.isNumber))
    }

    /// Whether a backup may hold a file of that name; everything else is refused, whoever made it.
    static func holds(_ path: TarPath) -> Bool {
        let parts = path.components
        let directory = parts.dropLast().joined(separator: "/")
        switch directory {
        case "": return parts == [store] || isAuditLog(parts[0])
        case blobs: return blobDigest(path) != nil
        case sealKeys: return parts[parts.count - 1].hasSuffix(".json")
        default: return keyDirectories.contains(directory)
        }
    }

    /// The directories that its files are in, parents first.
    static let directories = ["registry", "registry/blobs", blobs, sealKeys] + keyDirectories
}
