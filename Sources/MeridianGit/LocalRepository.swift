// LocalRepository: a repository of the person who runs a command: read where it is, nothing fetched, nothing kept.
internal import MeridianContent
package import MeridianModel
package import MeridianPorts

/// A repository on this machine, for previews of what its commits would mean.
package struct LocalRepository: Sendable {
    private let program: GitProgram
    private let repository: String
    private let sources: CommitSources

    /// Reading a commit takes less than a second; a minute means that the disk does not answer.
    private static let timeout = Duration.seconds(60)

    /// The repository that holds `directory`; `temporary` is an empty directory of the caller's, which removes it.
    package init(holding directory: String, temporary: String) async throws(GitError) {
        program = try GitProgram(root: temporary)
        let end = await program.run(
            ["-C", directory, "rev-parse", "--absolute-git-dir"],
            deadline: ContinuousClock.now + Self.timeout
        )
        guard end.succeeded else { throw gitFailure(end, "\(directory) is in no Git repository") }
        repository = shownLine(end.output)
        sources = CommitSources(registry: DigestsAlone(), temporary: "\(temporary)/temporary")
    }

    /// The objects of a commit, named as git-rev-parse(1) does: a branch, a tag, `HEAD~1`, an id.
    package func read(_ revision: String, path: String, rules: ManifestRules) async throws(GitError) -> GitReading {
        let deadline = ContinuousClock.now + Self.timeout
        let end = await program.run(
            ["rev-parse", "--verify", "--quiet", "--end-of-options", "\(revision)^{commit}"],
            in: repository,
            deadline: deadline
        )
        let id = shownLine(end.output)
        guard end.succeeded, isCommitID(id) else {
            throw GitError(.refMissing, "\"\(revision)\" is no commit of \(repository). Fetch it or fix the name")
        }
        let reader = CommitReader(program: program, repository: repository, sources: sources, deadline: deadline)
        return try await reader.read(GitCommit(id: id), path: path, rules: rules)
    }
}

/// A registry that works digests out and keeps nothing.
private struct DigestsAlone: RegistryPort {
    func put(_ bytes: [UInt8]) async throws(RegistryError) -> Digest { Digest.of(bytes) }

    func put(file path: String) async throws(RegistryError) -> Digest {
        do throws(ContentError) { return try Digest.of(file: path) } catch {
            throw RegistryError(.unavailable, error.message)
        }
    }

    func contains(_ digest: Digest) async -> Bool { true }
    func get(_ digest: Digest) async throws(RegistryError) -> [UInt8] { throw nothingKept }
    func file(_ digest: Digest) async throws(RegistryError) -> String { throw nothingKept }
    func list() async throws(RegistryError) -> [Digest] { [] }
    func delete(_ digests: [Digest]) async throws(RegistryError) {}

    private var nothingKept: RegistryError { RegistryError(.notFound, "a preview keeps no content") }
}
