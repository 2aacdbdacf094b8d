// Revision: one immutable build of an app and the settings it runs with; written by Meridian.

/// One immutable build of an app.
package typealias Revision = Resource<RevisionSpec, RevisionStatus>

/// `spec` of a Revision; never changes.
package struct RevisionSpec: ResourceSpec {
    package static let kind = "Revision"

    package var app: String = ""
    /// The app's generation that this revision was made for.
    package var appGeneration: Int = 0
    package var template: RevisionTemplate = RevisionTemplate()

    package init() {}

    package static let shape: Shape<RevisionSpec> = Shape(
        "RevisionSpec",
        "One immutable build of an app and the settings it runs with.",
        fields: [
            .init(required: "app", \.app, "The app's name."),
            .init("appGeneration", \.appGeneration, default: 0, "The app's generation it was made for."),
            .init(required: "template", \.template, "What is built and how it runs."),
        ]
    )
}

/// What makes a revision differ from another of the same app: source, build and run settings.
///
/// Scaling, regions and timeouts of requests are the app's and change without a new revision.
package struct RevisionTemplate: Shaped {
    /// The packed source; nil where `executable` is set.
    package var source: Digest?
    /// A bundle of the registry that is run as it is; nil where `source` is set.
    package var executable: Digest?
    package var build: BuildSettings = BuildSettings()
    package var args: [String] = []
    package var env: [String: String] = [:]
    package var secretEnv: [String: SecretReference] = [:]
    package var resources: AppResources = AppResources()
    package var files: AppFiles = AppFiles()
    package var health: AppHealth = AppHealth()
    package var terminationGrace: Duration = .seconds(10)
    /// The allowlist's name, for messages.
    package var allowlist: String = SyscallAllowlistSpec.defaultName
    /// The syscalls of the allowlist when the revision was made, sorted.
    package var syscalls: [String] = []
    package var onDenied: DeniedSyscallAction = .errno
    /// The number of `rebuild` calls before; a higher one makes a new revision and builds without the cache.
    package var rebuild: Int = 0

    package init() {}

    package static let shape: Shape<RevisionTemplate> = Shape(
        "RevisionTemplate",
        "What makes a revision differ from another of the same app.",
        fields: [
            .init("source", optional: \.source, "The packed source."),
            .init("executable", optional: \.executable, "A bundle that is run as it is."),
            .init("build", \.build, default: BuildSettings(), "How the source becomes an executable."),
            .init("args", \.args, default: [], "Arguments after the program's name."),
            .init("env", \.env, default: [:], "Variables of the program."),
            .init("secretEnv", \.secretEnv, default: [:], "Variables that come from Secrets."),
            .init("resources", \.resources, default: AppResources(), "What one runner may use."),
            .init("files", \.files, default: AppFiles(), "The file system that a runner sees."),
            .init("health", \.health, default: AppHealth(), "When a runner counts as ready."),
            .init("terminationGrace", \.terminationGrace, default: .seconds(10), "From SIGTERM to SIGKILL."),
            .init(
                "allowlist",
                \.allowlist,
                default: SyscallAllowlistSpec.defaultName,
                "The allowlist's name."
            ),
            .init("syscalls", \.syscalls, default: [], "The syscalls that may be made, sorted."),
            .init("onDenied", \.onDenied, default: .errno, "What a refused syscall meets."),
            .init("rebuild", \.rebuild, default: 0, "The number of rebuild calls before."),
        ]
    )
}

/// `status` of a Revision.
package struct RevisionStatus: Shaped {
    /// `Built`, `Ready`, and `SyscallsDenied` once a syscall was denied.
    package var conditions: [Condition] = []
    /// The bundle in the registry, once built.
    package var bundle: Digest?
    /// The executable's path inside the bundle.
    package var executable: String?
    /// Arguments that the preset puts before the app's own.
    package var arguments: [String] = []
    package var preset: BuildPreset?
    package var cached: Bool = false
    package var stages: [StageDuration] = []
    /// Attempts that failed for a passing reason.
    package var attempts: Int = 0
    /// When the next attempt may begin; nil: now.
    package var retryAt: Timestamp?
    package var readyRunners: Int = 0
    /// The denied syscalls that the program made in its port check and its runners, by name, sorted.
    package var deniedSyscalls: [String] = []

    package init() {}

    package static let shape: Shape<RevisionStatus> = Shape(
        "RevisionStatus",
        "What became of a revision.",
        fields: [
            .init(
                "conditions",
                \.conditions,
                default: [],
                "Built, Ready; SyscallsDenied where some were.",
                .keyed(by: "type")
            ),
            .init("bundle", optional: \.bundle, "The bundle in the registry."),
            .init("executable", optional: \.executable, "The executable's path inside the bundle."),
            .init("arguments", \.arguments, default: [], "Arguments before the app's own."),
            .init("preset", optional: \.preset, "The preset that was used."),
            .init("cached", \.cached, default: false, "Whether the bundle came from the cache."),
            .init("stages", \.stages, default: [], "How long each stage took."),
            .init("attempts", \.attempts, default: 0, "Attempts that failed for a passing reason."),
            .init("retryAt", optional: \.retryAt, "When the next attempt may begin."),
            .init("readyRunners", \.readyRunners, default: 0, "Runners that accept requests."),
            .init("deniedSyscalls", \.deniedSyscalls, default: [], "Denied syscalls that the program made."),
        ]
    )
}
