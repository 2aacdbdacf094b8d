// BuilderPort: from source to a registered bundle.
package import MeridianModel

/// Turns a packed source into an executable bundle in the registry.
package protocol BuilderPort: Sendable {
    /// Builds, or answers from the cache where the same source and settings were built before (only successes are cached).
    ///
    /// Cancelling the task kills every process of the build and removes its directory.
    /// `progress`: told of each stage as it starts, ends and prints; may be called from any thread.
    func build(
        _ request: BuildRequest,
        progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws(BuildError) -> BuildOutcome
}

/// What to build.
package struct BuildRequest: Sendable, Equatable {
    /// `namespace/name` of the revision, for messages and log names.
    package var revision: String
    /// The registry digest of the packed source (a tar).
    package var source: Digest
    package var settings: BuildSettings
    /// False for `rebuild`: the cache is not asked.
    package var useCache: Bool

    package init(revision: String, source: Digest, settings: BuildSettings, useCache: Bool = true) {
        self.revision = revision
        self.source = source
        self.settings = settings
        self.useCache = useCache
    }
}

/// One thing that happened during a build.
package enum BuildProgress: Sendable, Equatable {
    case stageStarted(BuildStage)
    case stageEnded(BuildStage, Duration)
    /// One line of output, without its newline, cut at 4 KiB.
    case output(BuildStage, String)
}

/// The stages of a build, in order, by the names that people see.
package enum BuildStage: String, WordShapeValue {
    /// Unpack and detect.
    case source
    /// Fetch dependencies; has network.
    case dependencies
    /// Compile; has no network unless `build.network` says so.
    case build
    /// Check the architecture of every ELF file and collect shared libraries.
    case check
    /// Pack and store the bundle.
    case register
}

/// A built bundle.
package struct BuildOutcome: Sendable, Equatable {
    /// The registry digest of the bundle's manifest.
    package var bundle: Digest
    /// The executable's path inside the bundle.
    package var executable: String
    /// Arguments that the preset puts before the app's own (usually none).
    package var arguments: [String]
    /// The preset that was used.
    package var preset: BuildPreset
    /// Whether the answer came from the cache.
    package var cached: Bool
    /// Duration of each stage that ran, in order.
    package var stages: [StageDuration]

    package init(
        bundle: Digest,
        executable: String,
        arguments: [String],
        preset: BuildPreset,
        cached: Bool,
        stages: [StageDuration]
    ) {
        self.bundle = bundle
        self.executable = executable
        self.arguments = arguments
        self.preset = preset
        self.cached = cached
        self.stages = stages
    }
}

/// Why a build failed, in words for the person who wrote the app.
package struct BuildError: Error, Sendable, CustomStringConvertible {
    /// A short CamelCase word for conditions: `UnknownPreset`, `ToolchainMissing`, `CommandFailed`, `TimedOut`,
    /// `OutOfMemory`, `NoExecutable`, `WrongArchitecture`, `SourceInvalid`, `Cancelled`, `Unavailable`.
    package let reason: String
    package let stage: BuildStage
    /// What failed, on what, and what to do.
    package let message: String
    /// The last lines of output, oldest first.
    package let output: [String]
    /// Whether trying again unchanged may succeed (disk full, control plane stopping), so that the loop backs off and retries.
    package let isTransient: Bool

    package init(reason: String, stage: BuildStage, message: String, output: [String] = [], isTransient: Bool = false) {
        self.reason = reason
        self.stage = stage
        self.message = message
        self.output = output
        self.isTransient = isTransient
    }

    package var description: String { "build: \(stage.rawValue): \(message)" }
}
