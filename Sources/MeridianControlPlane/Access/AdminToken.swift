// AdminToken: the token of whoever owns the data directory: made at the first start, kept in a file of theirs.
import MeridianContent
import MeridianModel
import MeridianPorts

/// The file with the admin's token and the AccessToken `admin` that stands for it.
struct AdminToken: Sendable {
    /// The text of the token.
    let text: String
    /// Whether this start made it.
    let isNew: Bool

    private static let name = "admin"
    /// Far more than a token has.
    private static let fileBytesMax = 4096

    /// Reads the file, or makes it, and sees to it that the token is known.
    ///
    /// The file is what counts: whoever may write the data directory is an admin anyway. To end a token that others have
    /// seen, delete the file and start again.
    init(
        _ directory: DataDirectory,
        store: any StorePort,
        clock: any ClockPort,
        random: any RandomPort
    ) async throws(ControlPlaneError) {
        let token: TokenText
        do throws(ContentError) {
            (token, isNew) = try Self.token(in: directory)
        } catch {
            throw ControlPlaneError("the admin's token: \(error)")
        }
        text = token.description
        do throws(StoreError) {
            let key = ObjectKey(kind: AccessToken.kind, name: Self.name)
            let live = try await store.get(key)
            guard live?.value["spec"]?["digest"]?.string != token.digest.description else { return }
            var object = AccessToken(metadata: Metadata(name: Self.name), spec: AccessTokenSpec())
            object.spec.role = .admin
            object.spec.digest = token.digest
            object.metadata.uid = random.uuid()
            object.metadata.generation = 1
            object.metadata.creationTimestamp = Timestamp(milliseconds: clock.now.milliseconds / 1000 * 1000)
            try await store.commit([.put(key, object.encoded(), .any)])
        } catch {
            throw ControlPlaneError("the admin's token cannot be stored: \(error)")
        }
    }

    private static func token(in directory: DataDirectory) throws(ContentError) -> (TokenText, isNew: Bool) {
        try DurableFile.createDirectory(directory.keys, mode: 0o700)
        let made = try TokenText(makingFor: name)
        let bytes = Array("\(made)\n".utf8)
        guard try !DurableFile.createIfAbsent(bytes, at: directory.adminToken, mode: 0o600) else { return (made, true) }
        let stored = try DurableFile.read(directory.adminToken, atMost: fileBytesMax)
        let text = String(decoding: stored.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard let token = TokenText(text), token.name == name else {
            throw ContentError(
                .corrupted,
                "\(directory.adminToken) holds no token. Delete it and start again to have a new one made"
            )
        }
        return (token, false)
    }
}
