// Executor+Git: looks at repositories, and the writes that a commit asks for.
import MeridianModel
import MeridianPlanning
import MeridianPorts

extension Executor {
    /// Writes at once: the store commits what comes together in one transaction, and more would hold readers up.
    private static let writesTogetherMax = 32

    // MARK: Applying

    /// Applies the objects of a commit, rank by rank; how each went is noted, and none holds up another.
    func apply(_ work: GitApply) async throws {
        try await checkCurrent(work.source, generation: work.generation)
        if work.isAtomic {
            let trial = await write(work.objects, work, isDryRun: true)
            let failed = trial.filter { if case .failed = $0.value { true } else { false } }
            guard failed.isEmpty else { return state.noteGitWrites(failed, of: work.source) }
        }
        state.noteGitWrites(await write(work.objects, work, isDryRun: false), of: work.source)
    }

    private func write(
        _ objects: [GitObject],
        _ work: GitApply,
        isDryRun: Bool
    ) async -> [ObjectKey: GitWriteOutcome] {
        var outcomes: [ObjectKey: GitWriteOutcome] = [:]
        let ranks = Dictionary(grouping: objects) { applyRank(ofKind: $0.key.kind) }
        for (_, group) in ranks.sorted(by: { $0.key < $1.key }) {
            let results = await inParallel(group) { await self.write($0, work, isDryRun: isDryRun) }
            for (object, outcome) in zip(group, results) { outcomes[object.key] = outcome }
        }
        return outcomes
    }

    private func write(_ object: GitObject, _ work: GitApply, isDryRun: Bool) async -> GitWriteOutcome {
        do {
            let written = try await ports.writer.apply(
                object.config,
                manager: work.manager,
                force: work.force,
                isDryRun: isDryRun
            )
            return .applied(
                OwnedObject(object.key, uid: written.uid, generation: written.generation, applied: object.digest)
            )
        } catch {
            return failed(object.key, digest: object.digest, error, of: work.source)
        }
    }

    // MARK: Pruning

    /// Deletes objects that left a repository, each only as long as it is the one that was looked at.
    func prune(_ work: GitPrune) async throws {
        try await checkCurrent(work.source, generation: work.generation)
        var outcomes: [ObjectKey: GitWriteOutcome] = [:]
        for object in work.objects {
            do {
                try await ports.writer.delete(object.key, uid: object.uid)
            } catch {
                outcomes[object.key] = failed(object.key, digest: "", error, of: work.source)
            }
        }
        state.noteGitWrites(outcomes, of: work.source)
    }

    /// A failure with the time of its next try: later with each failure in a row.
    private func failed(
        _ key: ObjectKey,
        digest: String,
        _ error: ObjectWriteError,
        of source: Fence
    ) -> GitWriteOutcome {
        let failures = state.gitWriteFailures(of: key, by: source)
        return .failed(
            digest: digest,
            reason: error.code.rawValue,
            message: error.message,
            until: ports.clock.now + retryDelay(afterFailures: failures + 1)
        )
    }

    /// Throws a conflict where the GitSource is another one or has other settings by now.
    private func checkCurrent(_ source: Fence, generation: Int) async throws {
        let metadata = try await ports.store.get(source.key)?.value["metadata"]
        guard metadata?["uid"]?.string == source.uid, metadata?["generation"]?.integer == Int64(generation),
            metadata?["deletionTimestamp"] == nil
        else { throw StoreError(.conflict, "\(source.key) was changed meanwhile", key: source.key) }
    }

    /// The results of `body` for every item, in their order, a bounded number at a time.
    private func inParallel<Item: Sendable, Result: Sendable>(
        _ items: [Item],
        _ body: @escaping @Sendable (Item) async -> Result
    ) async -> [Result] {
        await withTaskGroup(of: (Int, Result).self) { group in
            var results = [Result?](repeating: nil, count: items.count)
            for (index, item) in items.enumerated() {
                if index >= Self.writesTogetherMax, let (done, result) = await group.next() { results[done] = result }
                group.addTask { (index, await body(item)) }
            }
            for await (done, result) in group { results[done] = result }
            return results.compactMap(\.self)
        }
    }

    // MARK: Looking

    /// Looks at a repository; every failure is a result.
    func look(_ look: GitLook) async -> GitLookResult {
        do {
            let credentials = try credentials(look)
            switch look.kind {
            case .manifests(let spec):
                let request = GitReadRequest(
                    remote: GitRemote(url: spec.url, credentials: credentials, timeout: spec.timeout),
                    selection: spec.selection,
                    path: spec.path,
                    rules: ManifestRules(namespace: spec.namespace, namespaces: spec.namespaces),
                    verification: spec.verify,
                    known: look.known
                )
                return try await ports.git.read(request).map { .found(.manifests($0)) } ?? .unchanged
            case .source(let reference):
                let request = GitPackRequest(
                    remote: GitRemote(url: reference.url, credentials: credentials),
                    selection: .ref(reference.ref),
                    path: reference.path
                )
                return .found(.tree(try await ports.git.pack(request)))
            }
        } catch let error as GitError {
            return .failed(GitLookFailure(reason: error.code.rawValue, message: error.message, commit: error.commit))
        } catch {
            return .failed(GitLookFailure(reason: "CredentialsUnreadable", message: "\(error). Apply the Secret again"))
        }
    }

    private func credentials(_ look: GitLook) throws(SealingError) -> GitCredentials? {
        guard !look.credentials.isEmpty else { return nil }
        func open(_ key: String) throws(SealingError) -> String? {
            guard let sealed = look.credentials[key] else { return nil }
            return try ports.sealing.open(sealed.text, for: sealed.owner)
        }
        return GitCredentials(
            username: try open("username"),
            password: try open("password"),
            sshKey: try open("ssh-privatekey"),
            knownHosts: try open("known_hosts")
        )
    }
}

extension GitSourceSpec {
    /// Which commit the source follows.
    fileprivate var selection: GitSelection {
        if let semver { return .version(semver) }
        return ref.map { .ref($0) } ?? .head
    }
}
