// Authenticator: from a request's bearer token to who sent it.
internal import HTTPTypes
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

/// Says who sends requests on one listener.
struct Authenticator: Sendable {
    let store: any StorePort
    let clock: any ClockPort
    /// Whether the listener is reachable from this machine alone and unencrypted.
    ///
    /// Then whoever sends no token is the person at this machine, as with a Docker or Podman socket. A token that is
    /// sent is checked all the same, so that a role can be tried out.
    let trustsLoopback: Bool

    /// Who sent the request; 401 where it carries something that is no valid token.
    ///
    /// The store is asked each time: a token that is deleted is refused from the next request on.
    func caller(_ fields: HTTPFields) async throws(APIFailure) -> Caller {
        guard let header = fields[.authorization] else { return trustsLoopback ? .local : .anonymous }
        let words = header.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer", let text = TokenText(String(words[1])),
            let token = try await token(named: text.name),
            equalInConstantTime(token.spec.digest.hex, text.digest.hex),
            token.spec.expiresAt.map({ clock.now < $0 }) ?? true
        else { throw .unauthorized() }
        return Caller(token)
    }

    /// The token object of that name; nil where there is none, or none that may be used.
    private func token(named name: String) async throws(APIFailure) -> AccessToken? {
        let record: StoreRecord?
        do {
            record = try await store.get(ObjectKey(kind: AccessToken.kind, name: name))
        } catch {
            throw APIFailure(error)
        }
        var context = DecodingContext()
        guard let record, let token = AccessToken.decode(record.value, at: FieldPath(), &context),
            token.metadata.deletionTimestamp == nil
        else { return nil }
        return token
    }
}
