// GitProgram: the git program with everything shut that a repository could open.
internal import Glibc
internal import MeridianContent
internal import MeridianPorts

/// Runs git hardened: no hooks, no prompts, no settings of this machine or user, no protocol but those of the URL.
///
/// Where util-linux is there, git runs without capabilities, can gain none (no_new_privs), dies with this process, and
/// cannot write a file beyond a bound.
struct GitProgram: Sendable {
    /// Where settings, temporary files and mirrors are.
    let root: String
    /// The program and the options that confine it; the last one is git's path.
    private let launcher: [String]

    /// A pack larger than this is refused: a hundred sources of the largest size.
    private static let fileBytesMax = 10 << 30
    /// Listings of a hundred thousand files fit; a repository beyond is no source of manifests.
    static let listingBytesMax = 64 << 20

    /// Prepares `root`; throws where git is not installed.
    init(root: String) throws(GitError) {
        self.root = root
        guard let git = executable("git") else {
            throw GitError(.unavailable, "git is not installed. Install it: apt-get install git")
        }
        launcher = confinement(fileBytesMax: Self.fileBytesMax) + [git]
        do throws(ContentError) {
            for directory in [root, "\(root)/home", "\(root)/mirrors", "\(root)/temporary"] {
                try DurableFile.createDirectory(directory, mode: 0o700)
            }
            try DurableFile.write(Array(Self.settings.utf8), to: "\(root)/gitconfig", mode: 0o600)
            try DurableFile.write(Array(Self.askpass.utf8), to: "\(root)/askpass", mode: 0o700)
        } catch {
            throw GitError(.unavailable, "\(error)")
        }
    }

    /// Runs git on the repository at `repository` (nil: on none).
    func run(
        _ arguments: [String],
        in repository: String? = nil,
        access: RemoteAccess? = nil,
        input: [UInt8] = [],
        outputBytesMax: Int = 1 << 20,
        deadline: ContinuousClock.Instant,
        sink: ChildProcess.Sink? = nil
    ) async -> ChildEnd {
        let place = repository.map { ["--git-dir=\($0)"] } ?? []
        let command = ChildCommand(
            arguments: launcher + place + arguments,
            environment: environment + (access?.environment ?? []),
            input: input,
            outputBytesMax: outputBytesMax,
            deadline: deadline
        )
        return await ChildProcess.run(command, sink: sink)
    }

    private var environment: [String] {
        [
            "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=\(root)/home", "LC_ALL=C", "TMPDIR=\(root)/temporary",
            "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=\(root)/gitconfig", "GIT_ATTR_NOSYSTEM=1",
            "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=\(root)/askpass", "SSH_ASKPASS_REQUIRE=never",
            "GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0", "GIT_PROTOCOL_FROM_USER=0",
        ]
    }

    /// Settings as a file, since those on the command line do not reach the programs that git starts.
    private static let settings = """
        [core]
        hooksPath = /dev/null
        fsmonitor = false
        askPass =
        [protocol]
        allow = never
        [protocol "https"]
        allow = always
        [protocol "http"]
        allow = always
        [protocol "ssh"]
        allow = always
        [protocol "file"]
        allow = always
        [protocol]
        version = 2
        [safe]
        directory = *
        [gc]
        auto = 0
        [maintenance]
        auto = false
        [fetch]
        recurseSubmodules = false
        writeCommitGraph = false
        [submodule]
        recurse = false
        [http]
        followRedirects = false
        lowSpeedLimit = 1000
        lowSpeedTime = 20
        [credential]
        helper =
        [log]
        showSignature = false
        [init]
        defaultBranch = main
        templateDir =

        """

    /// Answers git's questions from the environment of the one process that asks; it holds no secret itself.
    private static let askpass = """
        #!/bin/sh
        case "$1" in
        Username*) printf '%s\\n' "$MERIDIAN_GIT_USERNAME" ;;
        *) printf '%s\\n' "$MERIDIAN_GIT_PASSWORD" ;;
        esac

        """
}

/// The options under which a program may do little harm; none where util-linux is not installed.
func confinement(fileBytesMax: Int) -> [String] {
    var words: [String] = []
    if let prlimit = executable("prlimit") { words += [prlimit, "--fsize=\(fileBytesMax)", "--core=0", "--"] }
    if let setpriv = executable("setpriv") {
        words += [setpriv, "--pdeathsig", "KILL", "--no-new-privs"]
        // Only root has capabilities to give up.
        if geteuid() == 0 { words += ["--bounding-set=-all", "--inh-caps=-all"] }
        words.append("--")
    }
    return words
}

/// The path of a program of the system; nil where it is not installed.
func executable(_ name: String) -> String? {
    ["/usr/local/bin", "/usr/bin", "/bin"].lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
}
