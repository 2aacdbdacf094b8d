// GitPort: repositories as the control plane uses them: what a ref leads to, read and checked.
package import MeridianModel

/// Reads manifests and sources from Git repositories.
///
/// Nothing of a repository is ever executed, and no working tree is made of it. What cannot be fetched or read is an
/// error or a problem in the reading, never an empty set.
package protocol GitPort: Sendable {
    /// The objects of the commit that the selection leads to now, with every app's source packed into the registry;
    /// nil where that commit is the one that is known.
    func read(_ request: GitReadRequest) async throws(GitError) -> GitReading?

    /// The packed source in a directory of the commit that the selection leads to now.
    func pack(_ request: GitPackRequest) async throws(GitError) -> GitTree
}

/// A repository elsewhere and how it is reached.
package struct GitRemote: Sendable, Equatable {
    package var url: String
    package var credentials: GitCredentials?
    /// The longest that fetching and reading may take together.
    package var timeout: Duration

    package init(url: String, credentials: GitCredentials? = nil, timeout: Duration = .seconds(60)) {
        self.url = url
        self.credentials = credentials
        self.timeout = timeout
    }
}

/// What a repository asks for; plain values, which are never logged nor put on a command line.
package struct GitCredentials: Sendable, Equatable {
    /// For https.
    package var username: String?
    /// For https: a password or token.
    package var password: String?
    /// For ssh: a private key without a passphrase.
    package var sshKey: String?
    /// For ssh: lines of known_hosts(5); no other host is trusted.
    package var knownHosts: String?

    package init(
        username: String? = nil,
        password: String? = nil,
        sshKey: String? = nil,
        knownHosts: String? = nil
    ) {
        self.username = username
        self.password = password
        self.sshKey = sshKey
        self.knownHosts = knownHosts
    }
}

/// Which commit of a repository.
package enum GitSelection: Sendable, Hashable {
    /// The tip of the default branch.
    case head
    /// A branch, a tag (where there is no branch of the name) or a whole commit id.
    case ref(String)
    /// The tag with the highest version in the range.
    case version(VersionRange)
}

/// Which manifests to read.
package struct GitReadRequest: Sendable, Equatable {
    package var remote: GitRemote
    package var selection: GitSelection
    /// The directory (or file) of the manifests.
    package var path: String
    package var rules: ManifestRules
    package var verification: GitVerification?
    /// The commit that was read before under the same settings.
    package var known: String?

    package init(
        remote: GitRemote,
        selection: GitSelection,
        path: String = ".",
        rules: ManifestRules = ManifestRules(),
        verification: GitVerification? = nil,
        known: String? = nil
    ) {
        self.remote = remote
        self.selection = selection
        self.path = path
        self.rules = rules
        self.verification = verification
        self.known = known
    }
}

/// What the manifests of a repository may say of namespaces.
package struct ManifestRules: Sendable, Equatable {
    /// Filled in where an object names none.
    package var namespace: String
    /// The namespaces that may be written; none: all, and cluster-scoped objects too.
    package var namespaces: [String]

    package init(namespace: String = "default", namespaces: [String] = []) {
        self.namespace = namespace
        self.namespaces = namespaces
    }
}

/// Which directory to pack.
package struct GitPackRequest: Sendable, Equatable {
    package var remote: GitRemote
    package var selection: GitSelection
    package var path: String

    package init(remote: GitRemote, selection: GitSelection, path: String) {
        self.remote = remote
        self.selection = selection
        self.path = path
    }
}

/// Why a repository was not read.
package struct GitError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The stable code, and the reason of the condition that shows it.
    package enum Code: String, Sendable {
        /// No connection, cut in the middle, timed out, refused by the host.
        case fetchFailed = "FetchFailed"
        /// The host asks for credentials or does not take those that are given.
        case unauthorized = "Unauthorized"
        /// There is no such branch, tag or commit (any more).
        case refMissing = "RefMissing"
        case pathMissing = "PathMissing"
        /// The commit is not signed by one of the allowed signers.
        case unverified = "Unverified"
        /// Beyond a bound, or of a form that is not read.
        case refused = "Refused"
        /// The copy on this machine lacks objects; it is thrown away and fetched anew at the next look.
        case damaged = "MirrorDamaged"
        /// This machine lacks something: git, disk, memory.
        case unavailable = "Unavailable"
    }

    package let code: Code
    /// What failed, on what, and the next step; never a credential.
    package let message: String
    /// The commit that was looked at, where it came so far.
    package let commit: String?

    package init(_ code: Code, _ message: String, commit: String? = nil) {
        self.code = code
        self.message = message
        self.commit = commit
    }

    package var description: String { "git: \(code.rawValue): \(message)" }
}

/// A machine or program without Git: every look fails with the reason.
package struct NoGit: GitPort {
    private let reason: GitError

    package init(because reason: GitError = GitError(.unavailable, "this program reads no repositories")) {
        self.reason = reason
    }

    package func read(_ request: GitReadRequest) async throws(GitError) -> GitReading? { throw reason }

    package func pack(_ request: GitPackRequest) async throws(GitError) -> GitTree { throw reason }
}
