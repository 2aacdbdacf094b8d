// SealKeyring: the key pairs that values are sealed with for Git: the newest is handed out, all of them open.
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts
import Synchronization

/// Key pairs in a directory, a file each; their private halves are sealed under the platform's sealing key.
///
/// That one key is therefore all that has to be kept in a safe place; the files go into every backup.
final class SealKeyring: Sendable {
    /// One key pair.
    struct Pair: Sendable {
        let key: PrivateSealingKey
        let createdAt: Timestamp
    }

    private let directory: String
    private let sealing: Sealing
    /// By time, the oldest first; never empty after `init`.
    private let pairs: Mutex<[Pair]>
    /// The files whose private half the sealing key does not open: they were made under another one.
    let closedFiles: [String]

    /// What a file's private half is sealed for.
    private static func owner(_ id: String) -> String { "SealKey/\(id)" }
    /// Far more than a file has.
    private static let fileBytesMax = 8192
    /// A pair a day for ten years.
    private static let pairsMax = 4096

    /// Reads the pairs in `directory`.
    init(directory: String, sealing: Sealing) throws(ContentError) {
        self.directory = directory
        self.sealing = sealing
        var found: [Pair] = []
        var closed: [String] = []
        try DurableFile.createDirectory(directory, mode: 0o700)
        for name in try DurableFile.names(in: directory) where name.hasSuffix(".json") {
            let path = "\(directory)/\(name)"
            if let pair = try Self.read(path, sealing) { found.append(pair) } else { closed.append(path) }
        }
        pairs = Mutex(found.sorted { $0.createdAt < $1.createdAt })
        closedFiles = closed
    }

    /// Makes the first pair where there is none.
    func makeFirst(now: Timestamp) throws(ContentError) {
        if pairs.withLock({ $0.isEmpty }) { try add(now: now) }
    }

    /// Makes another pair, with which values are sealed from now on.
    func add(now: Timestamp) throws(ContentError) {
        guard pairs.withLock({ $0.count }) < Self.pairsMax else {
            throw ContentError(.refused, "\(directory) holds \(Self.pairsMax) key pairs; no more are made")
        }
        // Later than all others, whatever the clock did meanwhile.
        let last = pairs.withLock { $0.last?.createdAt.milliseconds ?? 0 }
        let pair = Pair(
            key: try PrivateSealingKey(),
            createdAt: Timestamp(milliseconds: max(now.milliseconds, last + 1))
        )
        try write(pair)
        pairs.withLock { $0.append(pair) }
    }

    /// The pair that values are sealed with now.
    var current: Pair? { pairs.withLock { $0.last } }

    /// The value in a text that was sealed with the public half of one of the pairs.
    func open(_ text: String, for owner: String) throws(ContentError) -> [UInt8] {
        guard let id = PublicSealing.keyID(of: text) else {
            throw ContentError(.corrupted, "\(owner): not a sealed value of the form \(PublicSealing.scheme)…")
        }
        guard let pair = pairs.withLock({ $0.last { $0.key.publicKey.id == id } }) else {
            throw ContentError(
                .corrupted,
                "\(owner): it was sealed with the key \(id), which this platform does not have. Seal it again with:"
                    + " meridian seal"
            )
        }
        return try pair.key.open(text, for: owner)
    }

    private func write(_ pair: Pair) throws(ContentError) {
        let id = pair.key.publicKey.id
        let file: JSONValue = [
            "id": .string(id), "createdAt": .string(pair.createdAt.description),
            "publicKey": .string(pair.key.publicKey.pem),
            "privateKey": .string(try sealing.seal(pair.key.stored, for: Self.owner(id))),
        ]
        let path = "\(directory)/\(id).json"
        guard try DurableFile.createIfAbsent(file.utf8(pretty: true), at: path, mode: 0o600) else {
            throw ContentError(.refused, "\(path) exists already; try again")
        }
    }

    /// The pair in a file; nil where the sealing key does not open it.
    private static func read(_ path: String, _ sealing: Sealing) throws(ContentError) -> Pair? {
        let bytes = try DurableFile.read(path, atMost: fileBytesMax)
        let file: JSONValue
        do throws(JSONSyntaxError) { file = try JSONValue(parsing: bytes) } catch {
            throw ContentError(.corrupted, "\(path) is not JSON (\(error)). Restore it from a backup")
        }
        guard let id = file["id"]?.string, let sealed = file["privateKey"]?.string,
            let createdAt = file["createdAt"]?.string.flatMap({ Timestamp($0) })
        else { throw ContentError(.corrupted, "\(path) lacks a field. Restore it from a backup") }
        let secret: [UInt8]
        do throws(ContentError) {
            secret = try sealing.open(sealed, for: owner(id))
        } catch {
            return nil
        }
        let key = try PrivateSealingKey(bytes: secret)
        guard key.publicKey.id == id else {
            throw ContentError(.corrupted, "\(path) holds another key than its name says. Restore it from a backup")
        }
        return Pair(key: key, createdAt: createdAt)
    }
}
