// GitRepositories: the engine behind GitPort: mirrors under one directory, read by the git program.
internal import Glibc
internal import MeridianContent
package import MeridianModel
package import MeridianPorts

/// Repositories elsewhere, mirrored below one directory.
///
/// Work on one mirror goes on one after the other. Mirrors can be removed at any time; they are fetched again.
package struct GitRepositories: GitPort {
    private let program: GitProgram
    private let sources: CommitSources
    private let turns = MirrorTurns()

    /// Prepares the directory `root`; throws where git is missing or the directory cannot be made.
    package init(root: String, registry: any RegistryPort) throws(GitError) {
        // Credentials and half-done work of an earlier process.
        removeTemporary("\(root)/temporary")
        program = try GitProgram(root: root)
        sources = CommitSources(registry: registry, temporary: "\(root)/temporary")
    }

    package func read(_ request: GitReadRequest) async throws(GitError) -> GitReading? {
        try await onMirror(request.remote) { (mirror) throws(GitError) -> GitReading? in
            let selected = try await mirror.select(request.selection)
            guard selected.commit.id != request.known else { return nil }
            if let allowed = request.verification { try await mirror.verify(selected.commit, allowed) }
            var reading = try await reader(mirror).read(selected.commit, path: request.path, rules: request.rules)
            reading.tag = selected.tag
            await mirror.tidy()
            return reading
        }
    }

    package func pack(_ request: GitPackRequest) async throws(GitError) -> GitTree {
        try await onMirror(request.remote) { (mirror) throws(GitError) -> GitTree in
            let selected = try await mirror.select(request.selection)
            let digest = try await reader(mirror).pack(selected.commit, path: request.path)
            await mirror.tidy()
            return GitTree(commit: selected.commit, source: digest)
        }
    }

    private func reader(_ mirror: Mirror) -> CommitReader {
        CommitReader(program: program, repository: mirror.path, sources: sources, deadline: mirror.deadline)
    }

    /// Runs `body` on the mirror of a repository, when nobody else does.
    private func onMirror<Value: Sendable>(
        _ remote: GitRemote,
        _ body: @escaping @Sendable (Mirror) async throws(GitError) -> Value
    ) async throws(GitError) -> Value {
        if let fault = gitURLFault(remote.url) { throw GitError(.refused, "\(remote.url): \(fault)") }
        let path = "\(program.root)/mirrors/\(Self.name(of: remote)).git"
        do {
            return try await turns.run(on: path) {
                let access = try RemoteAccess(remote, temporary: "\(program.root)/temporary")
                let mirror = Mirror(
                    program: program,
                    path: path,
                    remote: remote,
                    access: access,
                    // The time begins with the turn: waiting for others is nobody's fault.
                    deadline: ContinuousClock.now + remote.timeout
                )
                do throws(GitError) {
                    return try await body(mirror)
                } catch {
                    if error.code == .damaged { removeTemporary(path) }
                    throw error
                }
            }
        } catch let error as GitError {
            throw error
        } catch {
            throw GitError(.unavailable, "\(error)")
        }
    }

    /// Whoever has other credentials has another mirror: what one may read must not show up for another.
    private static func name(of remote: GitRemote) -> String {
        let credentials = remote.credentials.map { [$0.username, $0.password, $0.sshKey].map { $0 ?? "" } } ?? []
        return String(Digest.of(Array(([remote.url] + credentials).joined(separator: "\n").utf8)).hex.prefix(32))
    }
}
