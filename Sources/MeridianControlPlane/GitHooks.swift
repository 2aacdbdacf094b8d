// GitHooks: whether a webhook is genuine, and the look that it asks for.
import MeridianContent
import MeridianControl
import MeridianModel
import MeridianPorts

/// Checks announcements of pushes against the Secret that their GitSource names.
struct GitHooks: GitHookPort {
    let reconciler: Reconciler
    let store: any StorePort
    let sealing: any SealingPort

    /// The key of the Secret that holds what webhooks are signed with.
    private static let tokenKey = "token"

    func announce(_ push: PushAnnouncement) async throws(BackendError) -> Bool {
        let key = ObjectKey(kind: GitSourceSpec.kind, name: push.source)
        guard let token = try await token(of: key), isGenuine(push, token) else { return false }
        // A source that was never looked at is about to be, so nothing is lost where it is not known yet.
        _ = reconciler.announcePush(to: key)
        return true
    }

    private func isGenuine(_ push: PushAnnouncement, _ token: String) -> Bool {
        switch push.proof {
        case .hmac(let signature): MessageSignature.isValid(signature, of: push.body, secret: token)
        case .token(let given): MessageSignature.isSame(given, token)
        }
    }

    /// What the webhooks of a source are signed with; nil where it takes none.
    private func token(of source: ObjectKey) async throws(BackendError) -> String? {
        do {
            var context = DecodingContext()
            let record = try await store.get(source)
            let name = record.flatMap { GitSource.decode($0.value, at: FieldPath(), &context) }?.spec.webhook?.key
            guard let name, let secret = try await store.get(name),
                let sealed = secret.value["sealed"]?[Self.tokenKey]?.string
            else { return nil }
            return try sealing.open(sealed, for: secretOwner(name, key: Self.tokenKey))
        } catch {
            throw BackendError(.unavailable, "\(source): the webhook's token cannot be read: \(error)")
        }
    }
}
