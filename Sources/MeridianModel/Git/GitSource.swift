// GitSource: a Git repository whose manifests the platform is made to agree with.

/// A Git repository whose manifests the platform is made to agree with.
package typealias GitSource = Resource<GitSourceSpec, GitSourceStatus>

/// `spec` of a GitSource; cluster-scoped, since one repository may hold the objects of many namespaces.
package struct GitSourceSpec: ResourceSpec {
    package static let kind = "GitSource"

    /// `https://…`, `ssh://…`, `user@host:path`, `file:///…`; plain http only to this machine.
    package var url: String = ""
    /// A branch, a tag or a commit; without it and `semver` the repository's default branch.
    package var ref: String?
    /// The range that the highest version tag is chosen from.
    package var semver: VersionRange?
    /// The directory of the manifests inside the repository, read with its subdirectories.
    package var path: String = "."
    /// The namespace of objects that name none.
    package var namespace: String = "default"
    /// The namespaces that the repository may write; none: all, and cluster-scoped objects too.
    package var namespaces: [String] = []
    package var interval: Duration = .seconds(60)
    /// The longest that fetching and reading may take.
    package var timeout: Duration = .seconds(60)
    package var suspend: Bool = false
    package var credentials: SecretName?
    package var webhook: SecretName?
    package var verify: GitVerification?
    package var drift: DriftPolicy = .selfHeal
    package var prune: PrunePolicy = PrunePolicy()
    /// Whether a commit with one wrong object changes nothing at all.
    package var atomic: Bool = false

    package init() {}

    package static func nameFault(_ name: String) -> String? {
        // The manager of its fields is gitsource/NAME, which the API takes up to 128 characters.
        name.utf8.count > 63 ? "\"\(name)\" is longer than 63 characters" : nil
    }

    package static let shape: Shape<GitSourceSpec> = Shape(
        "GitSourceSpec",
        "A Git repository whose manifests the platform is made to agree with.",
        fields: sourceFields + syncFields,
        rules: [
            ShapeRule { spec, path, context in
                guard spec.ref != nil, spec.semver != nil else { return }
                context.add(.invalid, at: path["semver"], "\(path["semver"]): given beside ref; remove one of them")
            }
        ]
    )

    private static let sourceFields: [ShapeField<GitSourceSpec>] = [
        .init(required: "url", \.url, "The repository: https, ssh or file.", .gitURL),
        .init("ref", optional: \.ref, "A branch, tag or commit; without it the default branch.", .gitRef),
        .init("semver", optional: \.semver, "The range that the highest version tag is chosen from."),
        .init("path", \.path, default: ".", "The directory of the manifests.", .relativePath),
        .init("namespace", \.namespace, default: "default", "The namespace of objects that name none.", .dnsLabel()),
        .init(
            "namespaces",
            \.namespaces,
            default: [],
            "The namespaces that the repository may write; none: all, and cluster-scoped objects too.",
            .rule { $0.first { !isDNSLabel($0) }.map { "\"\($0)\" is not a namespace: use a DNS label" } }
        ),
        .init("credentials", optional: \.credentials, "A Secret with what the repository asks for."),
        .init("verify", optional: \.verify, "Whose signature a commit must carry."),
    ]

    private static let syncFields: [ShapeField<GitSourceSpec>] = [
        .init(
            "interval",
            \.interval,
            default: .seconds(60),
            "How often the repository is looked at.",
            .range(.seconds(1)...(.seconds(86_400)))
        ),
        .init(
            "timeout",
            \.timeout,
            default: .seconds(60),
            "The longest that fetching and reading may take.",
            .range(.seconds(1)...(.seconds(3600)))
        ),
        .init("webhook", optional: \.webhook, "A Secret with the key token that a push is announced with."),
        .init("suspend", \.suspend, default: false, "Whether nothing is fetched and nothing applied."),
        .init("drift", \.drift, default: .selfHeal, "What is done with objects that were changed elsewhere."),
        .init("prune", \.prune, default: PrunePolicy(), "Whether objects that left the repository are deleted."),
        .init("atomic", \.atomic, default: false, "Whether a commit with one wrong object changes nothing."),
    ]
}

/// What is done with objects of a GitSource that somebody else changed.
package enum DriftPolicy: String, WordShapeValue {
    /// They are made what the commit says.
    case selfHeal
    /// They are left and listed in the status.
    case report
}

/// Names a Secret of any namespace.
package struct SecretName: Shaped {
    package var name: String = ""
    package var namespace: String = "default"

    package init() {}

    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// The Secret's identity.
    package var key: ObjectKey { ObjectKey(kind: Secret.kind, namespace: namespace, name: name) }

    package static let shape: Shape<SecretName> = Shape(
        "SecretName",
        "Names a Secret.",
        fields: [
            .init(required: "name", \.name, "The Secret's name.", .dnsLabel()),
            .init("namespace", \.namespace, default: "default", "The Secret's namespace.", .dnsLabel()),
        ]
    )
}

/// `spec.verify` of a GitSource: a commit is taken when one of these signed it.
package struct GitVerification: Shaped {
    /// Lines as in ssh-keygen(1), ALLOWED SIGNERS: `anna@example.org ssh-ed25519 AAAA…`.
    package var sshSigners: [String] = []
    /// ASCII-armoured OpenPGP public keys.
    package var gpgKeys: [String] = []

    package init() {}

    package static let shape: Shape<GitVerification> = Shape(
        "GitVerification",
        "Whose signature a commit must carry.",
        fields: [
            .init("sshSigners", \.sshSigners, default: [], "Lines of an allowed signers file of ssh-keygen.", .signers),
            .init("gpgKeys", \.gpgKeys, default: [], "OpenPGP public keys in ASCII armour.", .armouredKeys),
        ],
        rules: [
            ShapeRule { verify, path, context in
                guard verify.sshSigners.isEmpty, verify.gpgKeys.isEmpty else { return }
                context.add(.required, at: path, "\(path): names nobody; give sshSigners or gpgKeys")
            }
        ]
    )
}

/// `spec.prune` of a GitSource: what is deleted when it leaves the repository.
package struct PrunePolicy: Shaped {
    package var enabled: Bool = false
    /// More deletions than this in one commit are refused.
    package var objectsMax: Int = 10
    /// A larger share of what the source owns is refused.
    package var percentMax: Int = 50
    /// The one commit whose deletions may exceed both bounds.
    package var approvedCommit: String?
    /// Kinds that are never deleted.
    package var protectedKinds: [String] = PrunePolicy.protectedByDefault

    /// What holds other things: losing one by a slip of the editor takes much with it.
    package static let protectedByDefault = ["GitSource", "Namespace", "Region", "Secret"]

    package init() {}

    package static let shape: Shape<PrunePolicy> = Shape(
        "PrunePolicy",
        "What is deleted when it leaves the repository.",
        fields: [
            .init("enabled", \.enabled, default: false, "Whether objects that left the repository are deleted."),
            .init(
                "objectsMax",
                \.objectsMax,
                default: 10,
                "More deletions than this in one commit are refused.",
                .range(0...100_000)
            ),
            .init(
                "percentMax",
                \.percentMax,
                default: 50,
                "A larger share of what the source owns is refused.",
                .range(0...100)
            ),
            .init(
                "approvedCommit",
                optional: \.approvedCommit,
                "The one commit whose deletions may exceed both bounds.",
                .rule { isCommitID($0) ? nil : "\"\($0.prefix(80))\" is not a commit; give all its digits" }
            ),
            .init(
                "protectedKinds",
                \.protectedKinds,
                default: protectedByDefault,
                "Kinds that are never deleted.",
                .rule { kinds in kinds.contains { $0.isEmpty } ? "a kind must not be empty" : nil }
            ),
        ]
    )
}
