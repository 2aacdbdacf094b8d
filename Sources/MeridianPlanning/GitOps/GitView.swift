// GitView: what the loop knows of a repository beside the store: the last look, and how writes went.
package import MeridianModel

/// What is known of the repository of a GitSource or of an App with `spec.source.git`.
package struct GitView: Sendable, Equatable {
    /// Whether a look is under way.
    package var isLooking = false
    /// What the last look that succeeded found; nil until one has.
    package var found: GitFinding?
    /// Why the last look failed; nil where it did not.
    package var failure: GitLookFailure?
    /// The settings that the last look was made under.
    package var settings: GitLook.Kind?
    /// When the last look ended.
    package var lookedAt: Timestamp?
    /// Failed looks in a row.
    package var failures = 0
    /// Whether a push was announced since the last look began.
    package var isAnnounced = false
    /// How the last write of each object went, until it is recorded or tried again.
    package var writes: [ObjectKey: GitWriteOutcome] = [:]

    package init() {}

    /// Forgets the writes that the status has taken in; those that failed wait for their next try.
    package mutating func forgetRecordedWrites() {
        writes = writes.filter { if case .applied = $0.value { false } else { true } }
    }

    /// The manifests that were read under these settings; nil where there are none.
    func reading(under kind: GitLook.Kind) -> GitReading? {
        guard settings == kind, case .manifests(let reading)? = found else { return nil }
        return reading
    }

    /// The source that was packed under these settings; nil where there is none.
    func tree(under kind: GitLook.Kind) -> GitTree? {
        guard settings == kind, case .tree(let tree)? = found else { return nil }
        return tree
    }

    /// Why the last look under these settings failed; nil where it did not.
    func failure(under kind: GitLook.Kind) -> GitLookFailure? { settings == kind ? failure : nil }
}

/// What a look at a repository found.
package enum GitFinding: Sendable, Equatable {
    case manifests(GitReading)
    case tree(GitTree)
}

/// Why a look at a repository failed.
package struct GitLookFailure: Sendable, Equatable {
    /// One CamelCase word: `RefMissing`.
    package var reason: String
    package var message: String
    /// The commit that was looked at, where it came so far.
    package var commit: String?

    package init(reason: String, message: String, commit: String? = nil) {
        self.reason = reason
        self.message = message
        self.commit = commit
    }
}

/// How the write of one object of a commit went.
package enum GitWriteOutcome: Sendable, Equatable {
    case applied(OwnedObject)
    /// The digest that was to be applied (empty for a deletion), why not, and when it is tried again.
    case failed(digest: String, reason: String, message: String, until: Timestamp)
}

/// A look at a repository, to be made beside the loop.
package struct GitLook: Sendable, Equatable {
    /// What is looked for.
    package enum Kind: Sendable, Equatable {
        /// The manifests of a GitSource.
        case manifests(GitSourceSpec)
        /// The source of an App.
        case source(GitReference)
    }

    /// The GitSource or App.
    package let subject: ObjectKey
    package let uid: String
    package let kind: Kind
    /// The commit that was read before under the same settings.
    package let known: String?
    /// The values of the Secret with credentials by key, still sealed.
    package let credentials: [String: SealedText]

    /// A sealed value and what it was sealed for.
    package struct SealedText: Sendable, Equatable {
        package let text: String
        package let owner: String
    }
}

/// How a look ended.
package enum GitLookResult: Sendable, Equatable {
    case found(GitFinding)
    /// The commit is the one that was known.
    case unchanged
    case failed(GitLookFailure)
}

/// Objects of a commit to be applied.
package struct GitApply: Sendable, Equatable {
    /// The GitSource that applies; another generation of it makes this stale.
    package let source: Fence
    package let generation: Int
    package let manager: String
    /// In the order of kinds.
    package let objects: [GitObject]
    /// Whether fields that others manage are taken over.
    package let force: Bool
    /// Whether none is applied unless all can be.
    package let isAtomic: Bool
}

/// Objects that left the repository, to be deleted.
package struct GitPrune: Sendable, Equatable {
    package let source: Fence
    package let generation: Int
    package let objects: [OwnedObject]
}
