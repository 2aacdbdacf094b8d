// RequestHandler+Hooks: webhooks of Git hosts, which show by a signature rather than a token who they are.
internal import HTTPTypes
internal import Hummingbird
internal import MeridianModel
internal import MeridianPorts
internal import NIOCore

extension RequestHandler {
    /// What comes before the name of a GitSource in a webhook's path.
    private static let hookPrefix = "/meridian/v1/hooks/gitsources/"
    /// GitHub sends up to 25 MB, but pushes of that size are of no interest: the repository is looked at in any case.
    private static let hookBytesMax = 3 << 20

    /// The answer to a webhook; nil for every other request.
    ///
    /// It comes from elsewhere and from no person, so neither the loopback rule nor a token applies: the signature does.
    func hookAnswer(_ request: Request) async throws(APIFailure) -> Answer? {
        guard let hooks = backends.hooks, request.method == .post, request.uri.path.hasPrefix(Self.hookPrefix) else {
            return nil
        }
        let source = String(request.uri.path.dropFirst(Self.hookPrefix.count))
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: Self.hookBytesMax)
        } catch {
            throw .tooLarge("a webhook may have \(Self.hookBytesMax) bytes at most")
        }
        guard isDNSLabel(source), let proof = proof(request) else { throw Self.unsigned }
        let push = PushAnnouncement(source: source, proof: proof, body: Array(body.readableBytesView))
        let isGenuine: Bool
        do throws(BackendError) { isGenuine = try await hooks.announce(push) } catch { throw APIFailure(error) }
        guard isGenuine else { throw Self.unsigned }
        return .json(202, ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success"])
    }

    private static let unsigned = APIFailure(
        401,
        "Unauthorized",
        "the webhook is not signed with the source's token; set the same secret at the host and in spec.webhook"
    )

    /// The proof in the header of the host's kind; nil where there is none.
    private func proof(_ request: Request) -> PushAnnouncement.Proof? {
        func value(_ name: String) -> String? { HTTPField.Name(name).flatMap { request.headers[$0] } }
        if let signature = value("X-Hub-Signature-256") {
            return signature.hasPrefix("sha256=") ? .hmac(String(signature.dropFirst("sha256=".count))) : nil
        }
        if let signature = value("X-Gitea-Signature") { return .hmac(signature) }
        return value("X-Gitlab-Token").map { .token($0) }
    }
}
