// RunnerTemplate: everything that a node needs to start a runner of one revision.

/// How to start one runner of a revision: what to execute, with which settings, inside which limits.
///
/// It is complete: a node needs nothing else from the control plane to start runners.
package struct RunnerTemplate: Shaped {
    /// The digest of the bundle (a registry manifest) that is mounted at `/app`.
    package var bundle: Digest = .zero
    /// The executable's path inside the bundle, relative, as in `server`.
    package var executable: String = ""
    /// Arguments after the program's name.
    package var arguments: [String] = []
    /// The app's own environment; Meridian adds `PORT`, `GLOBE`, `HOSTNAME`, `HOME`, `PATH`, `TMPDIR`.
    package var environment: [String: String] = [:]
    /// Variables whose values are still sealed: in plans; opened into `environment` before a node gets the template.
    package var sealed: [String: SealedValue] = [:]
    /// Memory, above which the runner is killed.
    package var memory: ByteQuantity = .mebibytes(256)
    package var cpu: CPUQuantity = CPUQuantity(millicores: 1000)
    /// Processes and threads together.
    package var pids: Int = 64
    /// The size of the one tmpfs behind `$HOME` and `/tmp`.
    package var temporary: ByteQuantity = .mebibytes(64)
    /// Whether a throw-away writable layer lies over `/app`.
    package var filesWritable: Bool = false
    /// The syscalls that may be made, by name, sorted.
    package var syscalls: [String] = []
    /// What a syscall outside `syscalls` meets.
    package var onDenied: DeniedSyscallAction = .errno
    /// The path that must answer 2xx or 3xx before a runner counts as ready; nil: accepting a connection is enough.
    package var healthPath: String?
    /// How long a new runner may take to become ready.
    package var readyTimeout: Duration = .seconds(10)
    /// How long a runner may go on after SIGTERM before SIGKILL.
    package var terminationGrace: Duration = .seconds(10)

    package init() {}

    package static let shape: Shape<RunnerTemplate> = Shape(
        "RunnerTemplate",
        "How to start one runner of a revision.",
        fields: [
            .init(required: "bundle", \.bundle, "The bundle that is mounted at /app."),
            .init(required: "executable", \.executable, "The executable's path inside the bundle."),
            .init("arguments", \.arguments, default: [], "Arguments after the program's name."),
            .init("environment", \.environment, default: [:], "The app's own environment."),
            .init("sealed", \.sealed, default: [:], "Variables whose values are still sealed; in plans only."),
            .init("memory", \.memory, default: .mebibytes(256), "Memory, above which the runner is killed."),
            .init("cpu", \.cpu, default: CPUQuantity(millicores: 1000), "Processor time."),
            .init("pids", \.pids, default: 64, "Processes and threads together."),
            .init("temporary", \.temporary, default: .mebibytes(64), "The size of /tmp."),
            .init("filesWritable", \.filesWritable, default: false, "A throw-away layer over /app."),
            .init("syscalls", \.syscalls, default: [], "The syscalls that may be made, sorted."),
            .init("onDenied", \.onDenied, default: .errno, "What another syscall meets."),
            .init("healthPath", optional: \.healthPath, "The path that must answer before a runner is ready."),
            .init("readyTimeout", \.readyTimeout, default: .seconds(10), "How long becoming ready may take."),
            .init("terminationGrace", \.terminationGrace, default: .seconds(10), "From SIGTERM to SIGKILL."),
        ]
    )
}

/// What a syscall outside the allowlist meets.
package enum DeniedSyscallAction: String, WordShapeValue {
    /// The call fails with EPERM (ENOSYS where the C library has a fallback for it).
    case errno
    /// The runner is killed; the call is not made.
    case kill
}

/// A sealed value and what it was sealed for.
package struct SealedValue: Shaped {
    /// The sealed text, as the Secret holds it.
    package var text: String = ""
    /// What it opens for: `Secret/default/db/PASSWORD`.
    package var owner: String = ""

    package init() {}

    package init(text: String, owner: String) {
        self.text = text
        self.owner = owner
    }

    package static let shape: Shape<SealedValue> = Shape(
        "SealedValue",
        "A sealed value and what it was sealed for.",
        fields: [
            .init(required: "text", \.text, "The sealed text."),
            .init(required: "owner", \.owner, "What it opens for."),
        ]
    )
}
