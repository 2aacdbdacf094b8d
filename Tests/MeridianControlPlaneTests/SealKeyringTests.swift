// SealKeyringTests: key pairs for Git: made once, replaced on request, and never forgotten.
import Glibc
import MeridianAPIServer
import MeridianContent
import MeridianModel
import MeridianPorts
import MeridianStore
import Testing

@testable import MeridianControlPlane

/// Runs `body` on a new data directory, which is deleted afterwards.
private func withData(_ body: (DataDirectory) async throws -> Void) async throws {
    var template = Array("/tmp/meridian-seal-XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template))
    let path = String(cString: made)
    let result: Result<Void, any Error>
    do { result = .success(try await body(try DataDirectory(path))) } catch { result = .failure(error) }
    try DurableFile.remove(path)
    try result.get()
}

@Suite("Key pairs for sealing")
struct SealKeyringTests {
    private static let secret = ObjectKey(kind: "Secret", namespace: "default", name: "db")
    private static let owner = secretOwner(secret, key: "PASSWORD")

    /// A text as `meridian seal` makes it.
    private static func seal(_ plain: String, _ sealing: KeySealing, for owner: String = owner) throws -> String {
        let key = try #require(sealing.keyring.current).key.publicKey
        return try key.seal(Array(plain.utf8), for: owner)
    }

    @Test("the first start makes a pair, the second one has it again")
    func first() async throws {
        try await withData { data in
            let sealing = try KeySealing(data)
            let sealed = try Self.seal("hunter2", sealing)
            let again = try KeySealing(data)
            #expect(again.keyring.current?.key.publicKey == sealing.keyring.current?.key.publicKey)
            #expect(try again.open(sealed, for: Self.owner) == "hunter2")
            #expect(try DurableFile.names(in: data.sealKeys).count == 1)
        }
    }

    @Test("after a rotation another key is handed out, and both open, also after a restart")
    func rotation() async throws {
        try await withData { data in
            let sealing = try KeySealing(data)
            let keys = SealKeys(keyring: sealing.keyring, clock: SystemClock())
            let before = try await keys.sealKey()
            let old = try Self.seal("old", sealing)
            let after = try await keys.rotateSealKey()
            #expect(before["id"] != after["id"])
            #expect(try await keys.sealKey() == after)
            let new = try Self.seal("new", sealing)
            #expect(PublicSealing.keyID(of: new) == after["id"]?.string)
            for opener in [sealing, try KeySealing(data)] {
                #expect(try opener.open(old, for: Self.owner) == "old")
                #expect(try opener.open(new, for: Self.owner) == "new")
                #expect(opener.keyring.current?.key.publicKey.id == after["id"]?.string)
            }
        }
    }

    @Test(
        "the private halves lie on the disk sealed, and a foreign sealing key leaves them closed and makes a new pair"
    )
    func closed() async throws {
        try await withData { data in
            let first = try KeySealing(data)
            let sealed = try Self.seal("hunter2", first)
            let secret = try #require(first.keyring.current).key.stored
            for name in try DurableFile.names(in: data.sealKeys) {
                let bytes = try DurableFile.read("\(data.sealKeys)/\(name)")
                #expect(bytes.firstRange(of: secret) == nil)
                #expect(bytes.firstRange(of: Array(Base64.text(of: secret).utf8)) == nil)
            }
            try DurableFile.write([UInt8](repeating: 9, count: 32), to: data.sealingKey, mode: 0o600)
            let other = try KeySealing(data)
            #expect(other.keyring.closedFiles.count == 1)
            #expect(other.keyring.current != nil)
            let error = #expect(throws: SealingError.self) { try other.open(sealed, for: Self.owner) }
            #expect(error?.message.contains("which this platform does not have") == true, "\(error?.message ?? "")")
        }
    }

    @Test(
        "the API stores what was sealed for this place, refuses what was sealed for another, and applies it without a trace"
    )
    func admission() async throws {
        try await withData { data in
            let sealing = try KeySealing(data)
            let store = MemoryStore(clock: SystemClock())
            let writer = ObjectWriter(store: store, sealing: sealing, clock: SystemClock(), random: SystemRandom())
            _ = try await writer.apply(
                ["apiVersion": "meridian.dev/v1", "kind": "Namespace", "metadata": ["name": "default"]],
                manager: "t",
                force: true,
                isDryRun: false
            )
            func manifest(_ text: String) -> JSONValue {
                [
                    "apiVersion": "meridian.dev/v1", "kind": "Secret",
                    "metadata": ["name": "db", "namespace": "default"], "sealed": ["PASSWORD": .string(text)],
                ]
            }
            let text = try Self.seal("hunter2", sealing)
            #expect(try await writer.apply(manifest(text), manager: "t", force: true, isDryRun: false).hasChanged)
            #expect(try await store.get(Self.secret)?.value["sealed"]?["PASSWORD"]?.string == text)
            #expect(try await !writer.apply(manifest(text), manager: "t", force: true, isDryRun: false).hasChanged)
            #expect(try sealing.open(text, for: Self.owner) == "hunter2")

            for place in ["Secret/shop/db/PASSWORD", "Secret/default/x/PASSWORD", "Secret/default/db/OTHER"] {
                let copied = try Self.seal("hunter2", sealing, for: place)
                let error = await #expect(throws: ObjectWriteError.self, "\(place)") {
                    try await writer.apply(manifest(copied), manager: "t", force: true, isDryRun: false)
                }
                #expect(error?.message.contains("sealed for another namespace, name or key") == true)
            }
            let foreign = try PrivateSealingKey().publicKey.seal(Array("x".utf8), for: Self.owner)
            let error = await #expect(throws: ObjectWriteError.self) {
                try await writer.apply(manifest(foreign), manager: "t", force: true, isDryRun: false)
            }
            #expect(error?.message.contains("meridian seal") == true)
            // A plain value that is the same keeps the stored text; another one takes its place.
            var plain = manifest(text).object ?? JSONObject()
            plain["sealed"] = nil
            plain["stringData"] = ["PASSWORD": "hunter2"]
            #expect(try await !writer.apply(.object(plain), manager: "t", force: true, isDryRun: false).hasChanged)
            plain["stringData"] = ["PASSWORD": "other"]
            #expect(try await writer.apply(.object(plain), manager: "t", force: true, isDryRun: false).hasChanged)
        }
    }
}
