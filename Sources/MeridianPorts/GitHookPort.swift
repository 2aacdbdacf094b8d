// GitHookPort: announcements of pushes, as hosts of repositories send them.

/// Takes announcements of pushes.
package protocol GitHookPort: Sendable {
    /// Looks at the repository soon where the announcement is genuine; answers whether it is.
    ///
    /// A source that does not exist or has no webhook is answered as a wrong signature is, so that nobody learns
    /// its name by asking.
    func announce(_ push: PushAnnouncement) async throws(BackendError) -> Bool
}

/// A webhook's request.
package struct PushAnnouncement: Sendable, Equatable {
    /// How the sender shows that it knows the secret.
    package enum Proof: Sendable, Equatable {
        /// HMAC-SHA256 of the body in hexadecimal: GitHub's X-Hub-Signature-256 (after `sha256=`), Gitea's X-Gitea-Signature.
        case hmac(String)
        /// The secret itself: GitLab's X-Gitlab-Token.
        case token(String)
    }

    /// The GitSource's name.
    package var source: String
    package var proof: Proof
    package var body: [UInt8]

    package init(source: String, proof: Proof, body: [UInt8]) {
        self.source = source
        self.proof = proof
        self.body = body
    }
}
