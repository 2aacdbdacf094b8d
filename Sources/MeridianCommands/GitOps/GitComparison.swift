// GitComparison: what a merge changes in the declared objects, and what becomes of those whose files go.

internal import Glibc
internal import MeridianContent
internal import MeridianGit
internal import MeridianModel
internal import MeridianPlanning
internal import MeridianPorts

/// Two revisions of a local repository: `main..feature`.
struct GitRange {
    let before: String
    let after: String

    /// Nil where `text` is not two revisions joined by `..`.
    init?(_ text: String) {
        guard let dots = text.firstRange(of: ".."), !text.contains("...") else { return nil }
        before = String(text[..<dots.lowerBound])
        after = String(text[dots.upperBound...])
        guard !before.isEmpty, !after.isEmpty else { return nil }
    }
}

/// The objects of two commits side by side.
struct GitComparison {
    private let before: GitReading
    private let after: GitReading

    /// Reads both revisions of the repository that holds `directory`.
    static func read(
        _ range: GitRange,
        in directory: String,
        path: String,
        namespace: String,
        _ context: CommandContext
    ) async throws -> GitComparison {
        let base = context.environment("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(base)/meridian-plan-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            let reason = "no temporary directory can be made: \(String(cString: strerror(errno)))"
            throw CommandFailure(base, reason, next: "Set TMPDIR to a writable directory")
        }
        let temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { removeDirectory(temporary, context) }
        let rules = ManifestRules(namespace: namespace)
        do throws(GitError) {
            let repository = try await LocalRepository(holding: directory, temporary: temporary)
            return GitComparison(
                before: try await readOrNothing(range.before, repository, path: path, rules),
                after: try await repository.read(range.after, path: path, rules: rules)
            )
        } catch {
            throw CommandFailure("--git \(range.before)..\(range.after)", error.message)
        }
    }

    /// A path that the older revision does not have yet is empty there: everything of the newer one is new.
    private static func readOrNothing(
        _ revision: String,
        _ repository: LocalRepository,
        path: String,
        _ rules: ManifestRules
    ) async throws(GitError) -> GitReading {
        do throws(GitError) {
            return try await repository.read(revision, path: path, rules: rules)
        } catch {
            guard error.code == .pathMissing, let commit = error.commit else { throw error }
            return GitReading(commit: GitCommit(id: commit))
        }
    }

    /// Objects that the newer revision adds or changes.
    var changed: [GitObject] {
        let old = Dictionary(before.objects.map { ($0.key, $0.config) }) { first, _ in first }
        return after.objects.filter { old[$0.key] != $0.config }.sorted {
            (applyRank(ofKind: $0.key.kind), $0.key) < (applyRank(ofKind: $1.key.kind), $1.key)
        }
    }

    /// Objects that the older revision has and the newer one has not.
    var gone: [ObjectKey] {
        let kept = Set(after.objects.map(\.key))
        return before.objects.map(\.key).filter { !kept.contains($0) }.sorted()
    }

    /// What is wrong with the files of the newer revision.
    var problems: [GitProblem] { after.problems }

    /// What becomes of the objects whose files go, by the rules of the GitSource that answers for them.
    func removals(_ sources: [GitSource]) -> (prune: [ObjectKey], kept: [KeptObject]) {
        guard problems.isEmpty else {
            return ([], gone.map { KeptObject($0, "is left: the revision has files with problems") })
        }
        var prune: [ObjectKey] = []
        var kept: [KeptObject] = []
        var unowned = Set(gone)
        for source in sources {
            let owned = Set(source.status.inventory.map(\.key))
            let mine = gone.filter { owned.contains($0) }
            guard !mine.isEmpty else { continue }
            unowned.subtract(mine)
            let decision = pruneDecision(
                gone: mine,
                owned: owned.count,
                policy: source.spec.prune,
                commit: after.commit.id
            )
            prune += decision.prune
            kept += decision.kept
        }
        kept += unowned.sorted().map { KeptObject($0, "is left: no GitSource answers for it") }
        return (prune, kept)
    }

    /// The changes as a plan's document lists them.
    func changes(pruned: [ObjectKey], kept: [KeptObject]) -> [PlanChange] {
        let old = Set(before.objects.map(\.key))
        return changed.map { PlanChange($0.key, old.contains($0.key) ? .change : .create) }
            + pruned.map { PlanChange($0, .delete) } + kept.map { PlanChange($0.key, .keep, why: $0.why) }
    }
}

/// Removes a temporary directory; what stays is said.
private func removeDirectory(_ path: String, _ context: CommandContext) {
    do throws(ContentError) {
        try DurableFile.remove(path)
    } catch {
        context.errors.writeLine("warning: \(path) was not removed: \(error)")
    }
}
