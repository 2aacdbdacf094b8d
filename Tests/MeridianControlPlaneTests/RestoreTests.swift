// RestoreTests: from a data directory through a backup to another one, which has everything or is not there.
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts
import MeridianRegistry
import MeridianStore
import Testing

@testable import MeridianControlPlane

/// A data directory with something of everything in it, as a running control plane has it open.
private final class SavedPlatform: Sendable {
    let root: String
    let directory: DataDirectory
    let store: SQLiteStore
    let registry: DirectoryRegistry
    let blob: Digest
    let backup: PlatformBackup

    static let secret = ObjectKey(kind: "Secret", namespace: "shop", name: "db")

    init() async throws {
        var template = Array("/tmp/meridian-restore-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        root = String(cString: made)
        directory = try DataDirectory("\(root)/data")
        try directory.prepare()
        store = try SQLiteStore(directory: directory.path, clock: SystemClock())
        registry = try DirectoryRegistry(root: directory.registry)
        blob = try await registry.put(Array("a bundle".utf8))
        let sealed = try KeySealing(directory).seal("hunter2-hunter2", for: secretOwner(Self.secret, key: "PASSWORD"))
        let object: JSONValue = ["kind": "Secret", "sealed": ["PASSWORD": .string(sealed)]]
        try await store.commit([.put(Self.secret, object, .any)])
        try DurableFile.write(Array("{}\n".utf8), to: directory.auditLog)
        try DurableFile.write(Array("token".utf8), to: directory.adminToken, mode: 0o600)
        backup = PlatformBackup(
            directory,
            store: store,
            registry: registry,
            clock: SystemClock(),
            version: "test"
        )
    }

    /// A file with a backup of it.
    func save(_ name: String = "backup.tar", withKeys: Bool = false) async throws -> String {
        let path = "\(root)/\(name)"
        let output = try OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC)
        for try await piece in try await backup.backup(withKeys: withKeys) { try output.write(piece) }
        return path
    }

    func restore(
        _ file: String,
        to name: String = "new",
        replaces: Bool = false,
        sealingKey: String? = nil
    ) async throws -> RestoreReport {
        try await BackupRestoring.run(
            RestoreOptions(backup: file, data: "\(root)/\(name)", replaces: replaces, sealingKey: sealingKey)
        )
    }

    func names(_ name: String = "") throws -> [String] { try DurableFile.names(in: "\(root)/\(name)") }

    deinit {
        do {
            try store.close()
            try DurableFile.remove(root)
        } catch { print("\(root) was not removed: \(error)") }
    }
}

@Suite("Backup and restore of a data directory")
struct RestoreTests {
    @Test("with the keys everything is back: objects, blobs, the audit log, and Secrets that open")
    func withKeys() async throws {
        let platform = try await SavedPlatform()
        let report = try await platform.restore(try await platform.save(withKeys: true))
        #expect(report.manifest.facts.hasKeys)
        #expect(report.objects == 1)
        #expect(report.closedSecrets == [])
        #expect(report.replaced == nil)
        let directory = try DataDirectory("\(platform.root)/new")
        let store = try SQLiteStore(directory: directory.path, clock: SystemClock())
        let record = try #require(try await store.get(SavedPlatform.secret))
        #expect(record == (try await platform.store.get(SavedPlatform.secret)))
        let sealed = record.value["sealed"]?["PASSWORD"]?.string ?? ""
        let owner = secretOwner(SavedPlatform.secret, key: "PASSWORD")
        #expect(try KeySealing(directory).open(sealed, for: owner) == "hunter2-hunter2")
        let registry = try DirectoryRegistry(root: directory.registry)
        #expect(try await registry.get(platform.blob) == Array("a bundle".utf8))
        #expect(try DurableFile.read(directory.auditLog) == Array("{}\n".utf8))
        #expect(try DurableFile.read(directory.adminToken) == Array("token".utf8))
        try store.close()
    }

    @Test("without the keys no key and no plain value is in the file, and the Secrets that stay closed are named")
    func withoutKeys() async throws {
        let platform = try await SavedPlatform()
        let file = try await platform.save()
        let bytes = try DurableFile.read(file)
        for secret in [try DurableFile.read(platform.directory.sealingKey), Array("hunter2".utf8)] {
            #expect(bytes.firstRange(of: secret) == nil)
        }
        let report = try await platform.restore(file)
        #expect(report.closedSecrets == [SavedPlatform.secret])
        #expect(try platform.names("new/keys") == [])
        #expect(try platform.names("new/seal").count == 1, "its private half is sealed under the key that is not here")

        let right = try await platform.restore(file, to: "right", sealingKey: platform.directory.sealingKey)
        #expect(right.closedSecrets == [])
        let other = "\(platform.root)/other.key"
        try DurableFile.write([UInt8](repeating: 7, count: 32), to: other, mode: 0o600)
        let wrong = try await platform.restore(file, to: "wrong", sealingKey: other)
        #expect(wrong.closedSecrets == [SavedPlatform.secret])
    }

    @Test(
        "a file that was cut or changed, or is no backup, leaves nothing behind",
        arguments: ["cut", "changed", "foreign"]
    )
    func broken(kind: String) async throws {
        let platform = try await SavedPlatform()
        let file = try await platform.save()
        var bytes = try DurableFile.read(file)
        switch kind {
        case "cut": bytes.removeLast(bytes.count / 2)
        case "changed":
            let place = try #require(bytes.firstRange(of: Array("a bundle".utf8)))
            bytes[place.lowerBound] ^= 1
        default: bytes = Array("no backup at all".utf8)
        }
        try DurableFile.write(bytes, to: file)
        let error = await #expect(throws: ControlPlaneError.self) { try await platform.restore(file) }
        #expect(error?.description.contains("nothing was changed") == true, "\(error?.description ?? "")")
        #expect(try platform.names() == ["backup.tar", "data"])
    }

    @Test("a directory that holds something is refused, and makes way where asked to")
    func occupied() async throws {
        let platform = try await SavedPlatform()
        let file = try await platform.save()
        try DurableFile.createDirectory("\(platform.root)/new")
        _ = try await platform.restore(file)
        let error = await #expect(throws: ControlPlaneError.self) { try await platform.restore(file) }
        #expect(error?.description.contains("is not empty") == true)
        try DurableFile.write([1], to: "\(platform.root)/new/mine")
        let report = try await platform.restore(file, replaces: true)
        let replaced = try #require(report.replaced)
        #expect(try DurableFile.names(in: replaced).contains("mine"))
        #expect(try !platform.names("new").contains("mine"))
    }

    @Test("a directory on which a control plane runs is never replaced")
    func running() async throws {
        let platform = try await SavedPlatform()
        let file = try await platform.save()
        let error = await #expect(throws: ControlPlaneError.self) {
            try await platform.restore(file, to: "data", replaces: true)
        }
        #expect(error?.description.contains("a control plane runs on") == true, "\(error?.description ?? "")")
        #expect(try await platform.store.get(SavedPlatform.secret) != nil)
    }

    @Test(
        "a file that would go elsewhere than to its place is refused",
        arguments: ["node/node.sock", "keys/a/b", "x"]
    )
    func places(name: String) throws {
        #expect(!BackupLayout.holds(try TarPath(name)))
    }

    @Test("one backup is made at a time, and the next one when nobody reads the first any more")
    func turns() async throws {
        let platform = try await SavedPlatform()
        do {
            var pieces = try await platform.backup.backup(withKeys: false).makeAsyncIterator()
            _ = try await pieces.next()
            let error = await #expect(throws: BackendError.self) { try await platform.backup.backup(withKeys: false) }
            #expect(error?.message.contains("another backup") == true)
        }
        #expect(try !DurableFile.names(in: platform.directory.path).contains("backup"))
        _ = try await platform.save()
    }

    @Test("a damaged blob is named, left out, and the rest is there")
    func damaged() async throws {
        let platform = try await SavedPlatform()
        let other = try await platform.registry.put(Array("another".utf8))
        let path = try await platform.registry.file(other)
        try DurableFile.write(Array("rotten!!".utf8), to: path)
        let report = try await platform.restore(try await platform.save())
        #expect(report.manifest.facts.damaged == [other])
        let registry = try DirectoryRegistry(root: "\(platform.root)/new/registry")
        #expect(try await registry.list() == [platform.blob])
    }
}
