// Box: runs the commands of one build in the zygote's one-shot sandbox.
internal import Glibc
internal import MeridianModel
internal import MeridianPorts

/// The sandbox of one build: own processes, mounts and, without network, own network; limited memory; no privileges.
struct Box {
    /// The size of the build's `/tmp`; it counts as memory of the build once it is written to.
    static let temporaryBytes: Int64 = 2 << 30
    /// Lines that an error carries.
    static let errorLinesMax = 40
    /// What `meridian-zygote box` exits with when the sandbox itself could not be made.
    private static let setUpFailed: Int32 = 125
    /// Variables of the host that reach the network stages: how to get out, and whom to trust.
    private static let networkVariables = [
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "GOPROXY", "GOSUMDB", "GONOSUMDB", "PUB_HOSTED_URL",
    ]

    let zygote: String
    let workspace: Workspace
    let visibility: Visibility
    /// Directories beside the workspace's that the build may write to.
    let caches: [String]
    /// PATH of the build.
    let search: String
    /// The real home, where rustup and swiftly keep their toolchains.
    let realHome: String?
    let environment: [String: String]
    let memory: MemoryGroup
    let memoryLimit: ByteQuantity
    /// Names the machine's limit in the error of a build that was too slow.
    let timeout: Duration
    let deadline: ContinuousClock.Instant

    /// Runs one command to its successful end.
    ///
    /// `line` is told of each line of output, from the thread that reads.
    /// - Throws: `CommandFailed`, `TimedOut`, `OutOfMemory`, `Cancelled`, `Unavailable`, each with the last lines.
    func run(
        _ command: Recipe.Command,
        _ stage: BuildStage,
        network: Bool,
        line: @escaping @Sendable (String) -> Void
    ) async throws(BuildError) {
        let last = LastLines(count: Self.errorLinesMax)
        // Paths in messages are those of the source, not of this machine.
        let prefix = "\(workspace.source)/"
        let process = BoxProcess(arguments: arguments(command, network: network), deadline: deadline) { raw in
            let text = raw.replacing(prefix, with: "")
            last.append(text)
            line(text)
        }
        let end = await process.run()
        if end == .exited(0) { return }
        let isOutOfMemory = memory.wasOutOfMemory()
        throw failure(end, of: command, stage, network: network, isOutOfMemory: isOutOfMemory, output: last.lines)
    }

    /// The whole command line, for tests too.
    func arguments(_ command: Recipe.Command, network: Bool) -> [String] {
        var options = visibility.hidden.flatMap { ["--mask", $0] } + visibility.shown.flatMap { ["--ro", $0] }
        options += ([workspace.source, workspace.home] + caches).flatMap { ["--rw", $0] }
        options += ["--chdir", workspace.source, "--tmp", String(Self.temporaryBytes)]
        if network { options.append("--network") }
        let (user, group) = geteuid() == 0 ? (Workspace.buildUser, Workspace.buildUser) : (getuid(), getgid())
        options += ["--uid", String(user), "--gid", String(group)]
        options += memory.paths.flatMap { ["--cgroup", $0] }
        let variables = variables(network: network).sorted { $0.key < $1.key }
        options += variables.flatMap { ["--setenv", "\($0.key)=\($0.value)"] }
        return [zygote, "box"] + options + ["--"] + command.arguments
    }

    private func variables(network: Bool) -> [String: String] {
        var variables = [
            "PATH": search, "HOME": workspace.home, "TMPDIR": "/tmp", "LANG": "C.UTF-8", "USER": "build",
            "TERM": "dumb", "NO_COLOR": "1", "GLOBE": "1", "GLOBE_BUILD_ENV": "1",
        ]
        // rustup and swiftly look below HOME, which is another one in here.
        if let realHome { variables["RUSTUP_HOME"] = "\(realHome)/.rustup" }
        if let realHome { variables["SWIFTLY_HOME_DIR"] = "\(realHome)/.local/share/swiftly" }
        if network {
            for name in Self.networkVariables { variables[name] = variable(name) }
        }
        return variables.merging(environment) { _, own in own }
    }

    private func failure(
        _ end: BoxEnd,
        of command: Recipe.Command,
        _ stage: BuildStage,
        network: Bool,
        isOutOfMemory: Bool,
        output: [String]
    ) -> BuildError {
        let error = { (reason: String, message: String, isTransient: Bool) in
            BuildError(reason: reason, stage: stage, message: message, output: output, isTransient: isTransient)
        }
        switch end {
        case .cancelled: return error("Cancelled", "the build was cancelled", true)
        case .timedOut:
            let what = "`\(command.text)` was stopped: the build took longer than \(timeout.text)"
            return error("TimedOut", "\(what). Make it faster or raise spec.build.timeout", false)
        case _ where isOutOfMemory:
            let what = "`\(command.text)` needed more memory than the build's limit of \(memoryLimit)"
            return error("OutOfMemory", "\(what). Raise spec.build.memory or build with fewer jobs", false)
        case .notStarted(let code):
            let what = "cannot start the build sandbox \(zygote): \(errorText(code))"
            return error("Unavailable", "\(what). Install meridian-zygote beside meridian", true)
        case .exited(Self.setUpFailed):
            return error(
                "Unavailable",
                "the build sandbox could not be made: \(output.last ?? "no reason given")",
                true
            )
        case .signalled(let signal):
            return error("CommandFailed", "`\(command.text)`: the sandbox was killed by signal \(signal)", true)
        case .exited(let code):
            return error("CommandFailed", Self.words(code, command, network: network, output), false)
        }
    }

    /// `` `make` exited with code 2: main.c:3:1: error: … ``, and the next step.
    private static func words(
        _ code: Int32,
        _ command: Recipe.Command,
        network: Bool,
        _ output: [String]
    ) -> String {
        let ending = code > 128 ? "was killed by signal \(code - 128)" : "exited with code \(code)"
        let telling = output.first { $0.lowercased().contains("error") } ?? output.last { !$0.isEmpty }
        let what = "`\(command.text)` \(ending)" + (telling.map { ": \($0.prefix(300))" } ?? "")
        if !network, output.contains(where: wantsNetwork) {
            return
                "\(what). The build stage has no network: fetch in the dependency stage, "
                + "or set spec.build.network: true"
        }
        return "\(what). Mend the source or spec.build and deploy again; the last lines of output tell more"
    }

    /// Whether a line says that a name or a network was not reachable.
    private static func wantsNetwork(_ line: String) -> Bool {
        let signs = [
            "could not resolve", "temporary failure in name resolution", "network is unreachable", "failed host lookup",
            "dial tcp", "name or service not known",
        ]
        let line = line.lowercased()
        return signs.contains { line.contains($0) }
    }
}
