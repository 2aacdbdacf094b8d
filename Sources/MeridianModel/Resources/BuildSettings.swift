// BuildSettings: how an app's source becomes an executable.

/// The ways to build that are known by name.
package enum BuildPreset: String, WordShapeValue {
    /// By what lies in the source: pubspec.yaml, Package.swift, go.mod, Cargo.toml, Makefile or CMakeLists.txt, else one ELF file.
    case auto
    case dart
    case swift
    case go
    case rust
    case c
    /// `build.command` alone.
    case command
    /// The source already holds the executable.
    case prebuilt
}

/// `spec.build` of an App.
package struct BuildSettings: Shaped {
    package var preset: BuildPreset = .auto
    /// A shell command that replaces the preset's build step.
    package var command: String?
    /// Where the executable is after the build, relative to the source.
    package var output: String?
    /// Files and directories of the source that go into the bundle beside the executable.
    package var assets: [String] = []
    /// Variables of the build (the app's own are not set in it).
    package var env: [String: String] = [:]
    /// Whether the build step may use the network; the dependency step always may.
    package var network: Bool = false
    package var timeout: Duration = .seconds(600)
    package var memory: ByteQuantity = .mebibytes(4096)
    package var portCheck: PortCheckSettings = PortCheckSettings()

    package init() {}

    package static let shape: Shape<BuildSettings> = Shape(
        "BuildSettings",
        "How the app's source becomes an executable.",
        fields: [
            .init("preset", \.preset, default: .auto, "The way to build; auto looks at the source."),
            .init(
                "command",
                optional: \.command,
                "A shell command that replaces the preset's build step.",
                .text(atMost: 16_384)
            ),
            .init(
                "output",
                optional: \.output,
                "Where the executable is after the build, relative to the source.",
                .relativePath
            ),
            .init(
                "assets",
                \.assets,
                default: [],
                "Files and directories of the source that go into the bundle beside the executable.",
                .relativePaths
            ),
            .init("env", \.env, default: [:], "Variables of the build.", .environment),
            .init("network", \.network, default: false, "Whether the build step may use the network."),
            .init(
                "timeout",
                \.timeout,
                default: .seconds(600),
                "How long the whole build may take.",
                .range(.seconds(1)...(.seconds(7200)))
            ),
            .init(
                "memory",
                \.memory,
                default: .mebibytes(4096),
                "Memory of the build.",
                .range(.mebibytes(16)...(.mebibytes(1 << 20)))
            ),
            .init(
                "portCheck",
                \.portCheck,
                default: PortCheckSettings(),
                "The check that the program listens on $PORT."
            ),
        ],
        rules: [
            ShapeRule { settings, path, context in
                guard settings.preset == .command, settings.command == nil else { return }
                context.add(
                    .required,
                    at: path["command"],
                    "\(path).command: required with preset \"command\". Give the shell command that builds the app"
                )
            }
        ]
    )
}

/// `spec.build.portCheck` of an App.
package struct PortCheckSettings: Shaped {
    package var timeout: Duration = .seconds(10)

    package init() {}

    package static let shape: Shape<PortCheckSettings> = Shape(
        "PortCheckSettings",
        "The check that the program listens on $PORT.",
        fields: [
            .init(
                "timeout",
                \.timeout,
                default: .seconds(10),
                "How long the program may take until it listens.",
                .range(.milliseconds(100)...(.seconds(300)))
            )
        ]
    )
}

/// How long one stage of a build took.
package struct StageDuration: Shaped {
    /// `source`, `dependencies`, `build`, `check`, `register`, `portCheck`.
    package var name: String = ""
    package var duration: Duration = .zero

    package init() {}

    package init(name: String, duration: Duration) {
        self.name = name
        self.duration = duration
    }

    package static let shape: Shape<StageDuration> = Shape(
        "StageDuration",
        "How long one stage of a build took.",
        fields: [
            .init(required: "name", \.name, "The stage."),
            .init(required: "duration", \.duration, "How long it took."),
        ]
    )
}
