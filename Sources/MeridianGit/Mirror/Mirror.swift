// Mirror: the bare copy of one repository, brought to the commit that a ref leads to.
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

/// What a selection led to.
struct SelectedCommit: Sendable {
    let commit: GitCommit
    /// The tag that a version range chose.
    let tag: String?
}

/// A bare repository that holds the newest commit of each selection and little else.
///
/// It holds no history: a force-push or a rewritten history is one more commit to it. One user at a time.
struct Mirror: Sendable {
    let program: GitProgram
    let path: String
    let remote: GitRemote
    let access: RemoteAccess
    let deadline: ContinuousClock.Instant

    /// Packs are put together beyond this number; each push brings one.
    private static let packsMax = 20

    /// The commit of the selection, fetched where it is not here yet.
    func select(_ selection: GitSelection) async throws(GitError) -> SelectedCommit {
        try await open()
        if case .ref(let id) = selection, isCommitID(id) {
            return SelectedCommit(commit: try await commit(id), tag: nil)
        }
        let target = try await target(of: selection)
        if !(await holds(target.object)) { try await fetch(target.ref) }
        // The ref may have moved between the listing and the fetch: what was fetched counts.
        let slot = Self.slot(target.ref)
        let known = await holds(target.object) ? target.object : slot
        return SelectedCommit(commit: try await describe(known), tag: target.tag)
    }

    /// Whether the object is here with all that a reading needs.
    private func holds(_ object: String) async -> Bool {
        await git(["cat-file", "-e", "\(object)^{tree}"]).succeeded
    }

    // MARK: The copy

    /// Makes the bare repository where it is missing, and clears what an earlier end left in it.
    private func open() async throws(GitError) {
        if access(path: "\(path)/HEAD") {
            // Nobody else uses the mirror, so a lock is that of a process that was killed.
            for lock in ["shallow.lock", "packed-refs.lock", "config.lock", "HEAD.lock"] { unlink("\(path)/\(lock)") }
            return
        }
        removeTemporary(path)
        let made = await program.run(["init", "--quiet", "--bare", path], deadline: deadline)
        guard made.succeeded else { throw failure(made, "the mirror cannot be made") }
    }

    private func access(path: String) -> Bool { Glibc.access(path, F_OK) == 0 }

    /// Puts packs together now and then, dropping what no slot needs.
    func tidy() async {
        let packs = (try? DurableFile.names(in: "\(path)/objects/pack")) ?? []
        guard packs.count(where: { $0.hasSuffix(".pack") }) > Self.packsMax else { return }
        // A mirror that could not be tidied serves as well as before.
        _ = await git(["gc", "--quiet", "--prune=now"])
    }

    // MARK: What the repository has

    private struct Target {
        let ref: String
        let object: String
        let tag: String?
    }

    private func target(of selection: GitSelection) async throws(GitError) -> Target {
        switch selection {
        case .head:
            let listed = try await listing(["HEAD"])
            guard let object = listed["HEAD"] else { throw missing("the default branch") }
            return Target(ref: "HEAD", object: object, tag: nil)
        case .ref(let name):
            let names = name.hasPrefix("refs/") ? [name] : ["refs/heads/\(name)", "refs/tags/\(name)"]
            let listed = try await listing(names)
            guard let ref = names.first(where: { listed[$0] != nil }), let object = listed["\(ref)^{}"] ?? listed[ref]
            else { throw missing("\"\(name)\"") }
            return Target(ref: ref, object: object, tag: nil)
        case .version(let range):
            let listed = try await listing(["refs/tags/*"])
            let tags = listed.keys.filter { !$0.hasSuffix("^{}") }.map { String($0.dropFirst("refs/tags/".count)) }
            guard let tag = range.highest(of: tags.sorted()) else {
                throw missing("a tag in the range \(range.shapeText)")
            }
            let ref = "refs/tags/\(tag)"
            guard let object = listed["\(ref)^{}"] ?? listed[ref] else { throw missing("the tag \(tag)") }
            return Target(ref: ref, object: object, tag: tag)
        }
    }

    private func missing(_ what: String) -> GitError {
        GitError(.refMissing, "\(remote.url) has not \(what). It was deleted or never pushed; push it or name another")
    }

    /// The refs of the repository that match, with the objects that they lead to.
    private func listing(_ patterns: [String]) async throws(GitError) -> [String: String] {
        // Peeled tags are listed for a pattern of their own.
        let peeled = patterns.filter { $0.hasPrefix("refs/tags/") }.map { "\($0)^{}" }
        let arguments = ["ls-remote", "--quiet", "--", remote.url] + patterns + peeled
        let end = await program.run(
            arguments,
            access: access,
            outputBytesMax: GitProgram.listingBytesMax,
            deadline: deadline
        )
        guard end.succeeded else { throw failure(end, "the repository cannot be reached") }
        var listed: [String: String] = [:]
        for line in end.output.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: "\t"), maxSplits: 1)
            guard words.count == 2, let ref = String(validating: words[1], as: UTF8.self) else { continue }
            let object = String(decoding: words[0], as: UTF8.self)
            if isCommitID(object) { listed[ref] = object }
        }
        return listed
    }

    // MARK: Fetching

    private func fetch(_ ref: String) async throws(GitError) {
        var end = await fetch("+\(ref):\(Self.slot(ref))", isShallow: true)
        if !end.succeeded, end.errors.contains("shallow") || end.errors.contains("corrupt") {
            // A server without shallow fetches, or a mirror that a crash damaged: once more, anew and whole.
            removeTemporary(path)
            try await open()
            end = await fetch("+\(ref):\(Self.slot(ref))", isShallow: !end.errors.contains("dumb http"))
        }
        guard end.succeeded else { throw failure(end, "\(ref) cannot be fetched") }
    }

    private func fetch(_ specification: String, isShallow: Bool) async -> ChildEnd {
        let depth = isShallow ? ["--depth=1"] : []
        let options = ["--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force"]
        return await program.run(
            ["fetch"] + options + depth + ["--", remote.url, specification],
            in: path,
            access: access,
            deadline: deadline
        )
    }

    /// A commit by its id: it never moves, so it is asked for once.
    private func commit(_ id: String) async throws(GitError) -> GitCommit {
        if await holds(id) { return try await describe(id) }
        let end = await fetch("+\(id):refs/meridian/\(id)", isShallow: true)
        let isHere = end.succeeded ? await holds(id) : false
        if !isHere {
            // Many hosts give out only what a branch or tag leads to.
            let all = await fetch("+refs/*:refs/remote/*", isShallow: false)
            guard all.succeeded else { throw failure(all, "commit \(id.prefix(12)) cannot be fetched") }
            guard await holds(id) else { throw missing("the commit \(id)") }
        }
        return try await describe(id)
    }

    private func describe(_ revision: String) async throws(GitError) -> GitCommit {
        let end = await git(["show", "--no-patch", "--format=%H%x00%s%x00%an", "\(revision)^{commit}", "--"])
        let parts = end.output.split(separator: 0, omittingEmptySubsequences: false)
        guard end.succeeded, parts.count == 3 else { throw failure(end, "\(revision) is no commit") }
        let id = String(decoding: parts[0], as: UTF8.self)
        guard isCommitID(id) else { throw failure(end, "\(revision) is no commit") }
        return GitCommit(id: id, subject: shownLine(parts[1]), author: shownLine(parts[2]))
    }

    /// Where the mirror keeps what a ref led to.
    private static func slot(_ ref: String) -> String {
        "refs/meridian/" + Digest.of(Array(ref.utf8)).hex.prefix(32)
    }

    /// Git on the mirror, without a connection.
    func git(_ arguments: [String], outputBytesMax: Int = 1 << 20) async -> ChildEnd {
        await program.run(arguments, in: path, outputBytesMax: outputBytesMax, deadline: deadline)
    }

    /// The error of a run that failed, in git's words and with the next step.
    func failure(_ end: ChildEnd, _ what: String) -> GitError { gitFailure(end, "\(remote.url): \(what)") }
}

/// The longest line that a message shows of a commit.
private let shownCharactersMax = 200

/// A line of a commit for people: valid UTF-8, cut, control characters replaced.
func shownLine(_ bytes: some Sequence<UInt8>) -> String {
    let text = String(decoding: Array(bytes), as: UTF8.self)
    let scalars = text.unicodeScalars.prefix(shownCharactersMax).map {
        $0.properties.generalCategory == .control ? " " : $0
    }
    return String(String.UnicodeScalarView(scalars)).trimmingNewlines
}

extension String {
    fileprivate var trimmingNewlines: String {
        String(drop { $0 == " " || $0.isNewline }.reversed().drop { $0 == " " || $0.isNewline }.reversed())
    }
}
