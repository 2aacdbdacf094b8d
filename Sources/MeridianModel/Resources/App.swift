// App: what a person deploys: source and how to build, run and scale it.

/// An app as a person declares it and as Meridian observes it.
package typealias App = Resource<AppSpec, AppStatus>

/// `spec` of an App.
package struct AppSpec: ResourceSpec {
    package static let kind = "App"

    package var source: AppSource = AppSource()
    package var build: BuildSettings = BuildSettings()
    /// Arguments after the program's name.
    package var args: [String] = []
    package var env: [String: String] = [:]
    package var secretEnv: [String: SecretReference] = [:]
    package var resources: AppResources = AppResources()
    package var files: AppFiles = AppFiles()
    package var health: AppHealth = AppHealth()
    package var requestTimeout: Duration = .seconds(30)
    package var terminationGrace: Duration = .seconds(10)
    package var scaling: AppScaling = AppScaling()
    package var regions: AppRegions = AppRegions()
    /// The name of a SyscallAllowlist.
    package var syscalls: String = SyscallAllowlistSpec.defaultName

    package init() {}

    /// Names are at most 52 characters, so that `-00001` still fits a DNS label, and never look like a revision's.
    package static func nameFault(_ name: String) -> String? {
        if name.utf8.count > 52 { return "\"\(name)\" is longer than 52 characters" }
        guard RevisionName(name) != nil else { return nil }
        return "\"\(name)\" ends in - and five digits as revisions do; choose another name"
    }

    package static let shape: Shape<AppSpec> = Shape(
        "AppSpec",
        "An app: its source and how to build, run and scale it.",
        fields: [
            .init(
                required: "source",
                \.source,
                "Where the app comes from: exactly one of path, git, executable.",
                .oneThing
            ),
            .init("build", \.build, default: BuildSettings(), "How the source becomes an executable."),
            .init("args", \.args, default: [], "Arguments after the program's name.", .arguments),
            .init("env", \.env, default: [:], "Variables of the program.", .environment),
            .init(
                "secretEnv",
                \.secretEnv,
                default: [:],
                "Variables of the program that come from Secrets.",
                .rule { $0.keys.sorted().lazy.compactMap(environmentNameFault).first }
            ),
            .init("resources", \.resources, default: AppResources(), "What one runner may use."),
            .init("files", \.files, default: AppFiles(), "The file system that a runner sees."),
            .init("health", \.health, default: AppHealth(), "When a runner counts as ready."),
            .init(
                "requestTimeout",
                \.requestTimeout,
                default: .seconds(30),
                "The longest a request may take.",
                .range(.milliseconds(1)...(.seconds(3600)))
            ),
            .init(
                "terminationGrace",
                \.terminationGrace,
                default: .seconds(10),
                "How long a runner may go on after SIGTERM.",
                .range(.zero...(.seconds(300)))
            ),
            .init("scaling", \.scaling, default: AppScaling(), "How many runners there are."),
            .init("regions", \.regions, default: AppRegions(), "Where the app runs."),
            .init(
                "syscalls",
                \.syscalls,
                default: SyscallAllowlistSpec.defaultName,
                "The name of a SyscallAllowlist.",
                .dnsLabel()
            ),
        ],
        rules: [
            ShapeRule { spec, path, context in
                guard let name = spec.env.keys.sorted().first(where: { spec.secretEnv[$0] != nil }) else { return }
                let place = path["secretEnv"][name]
                context.add(.invalid, at: place, "\(place): set in env too; remove one of them")
            }
        ]
    )
}

extension Constraint where Value == [String] {
    /// What execve(2) can take: no NUL, 128 KiB together at most.
    package static var arguments: Constraint {
        .rule { arguments in
            if arguments.contains(where: { $0.utf8.contains(0) }) { return "an argument must not contain NUL" }
            return arguments.reduce(0) { $0 + $1.utf8.count + 1 } > 131_072 ? "arguments take more than 128 KiB" : nil
        }
    }
}

/// `spec.source` of an App: exactly one of `path`, `git` and `executable`.
package struct AppSource: Shaped {
    /// A directory, relative to the manifest's file; packed and uploaded by the client.
    package var path: String?
    package var git: GitReference?
    /// A bundle that is in the registry already.
    package var executable: Digest?
    /// The digest of the packed source, written by the client that uploaded it.
    package var digest: Digest?

    package init() {}

    package static let shape: Shape<AppSource> = Shape(
        "AppSource",
        "Where an app comes from: exactly one of path, git, executable.",
        fields: [
            .init(
                "path",
                optional: \.path,
                "A directory relative to the manifest's file; the client uploads it.",
                .text(atMost: 4096)
            ),
            .init("git", optional: \.git, "A directory of a Git repository at a ref."),
            .init("executable", optional: \.executable, "A bundle that is in the registry already."),
            .init("digest", optional: \.digest, "The packed source, written by the client that uploaded it."),
        ],
        rules: [
            ShapeRule { source, path, context in
                let given = [source.path != nil, source.git != nil, source.executable != nil].filter { $0 }.count
                guard given != 1 else { return }
                context.add(
                    given == 0 ? .required : .invalid,
                    at: path,
                    "\(path): give exactly one of path, git, executable; \(given == 0 ? "none" : "\(given)") given"
                )
            }
        ]
    )
}

/// A directory of a Git repository at a ref.
package struct GitReference: Shaped {
    package var url: String = ""
    package var ref: String = "main"
    package var path: String = "."
    /// A Secret of the app's namespace with what the repository asks for.
    package var secret: String?

    package init() {}

    package static let shape: Shape<GitReference> = Shape(
        "GitReference",
        "A directory of a Git repository at a ref.",
        fields: [
            .init(required: "url", \.url, "The repository: https, ssh or file.", .gitURL),
            .init("ref", \.ref, default: "main", "A branch, tag or commit.", .gitRef),
            .init("path", \.path, default: ".", "The directory inside the repository.", .relativePath),
            .init(
                "secret",
                optional: \.secret,
                "A Secret of the app's namespace with what the repository asks for.",
                .dnsLabel()
            ),
        ]
    )
}

/// One key of one Secret in the app's namespace.
package struct SecretReference: Shaped {
    package var secret: String = ""
    package var key: String = ""

    package init() {}

    package init(secret: String, key: String) {
        self.secret = secret
        self.key = key
    }

    package static let shape: Shape<SecretReference> = Shape(
        "SecretReference",
        "One key of one Secret in the app's namespace.",
        fields: [
            .init(required: "secret", \.secret, "The Secret's name.", .dnsLabel()),
            .init(required: "key", \.key, "The key inside the Secret.", .text(atMost: 253)),
        ]
    )
}
