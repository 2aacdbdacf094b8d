// DirectoryRegistry+Garbage: which blobs nothing refers to, and deleting them without racing a push.
internal import Glibc
internal import MeridianContent
package import MeridianModel
package import MeridianPorts

extension DirectoryRegistry {
    /// How long an unreferenced blob is kept: longer than any build or upload between its first blob and its last.
    package static let garbageGraceDefault = Duration.seconds(24 * 3600)

    /// The stored blobs that cannot be reached from `roots`, sorted, however young they are.
    ///
    /// `roots` are bundle manifests and packed sources; one that is missing reaches nothing.
    /// - Throws: where a root cannot be read, since a failed read must not look like an empty one.
    package func unreferenced(roots: Set<Digest>) async throws(RegistryError) -> [Digest] {
        // Listed first: a blob that comes later is not in the list, whatever the roots say.
        let stored = try await list()
        var reached = roots
        for root in roots.sorted() { reached.formUnion(try await references(of: root)) }
        return stored.filter { !reached.contains($0) }
    }

    /// Deletes the unreferenced blobs that were neither stored nor asked for within `grace`; the answer names them.
    ///
    /// Ages are measured against `now`.
    package func collectGarbage(
        roots: Set<Digest>,
        grace: Duration = garbageGraceDefault,
        now: Timestamp
    ) async throws(RegistryError) -> [Digest] {
        let candidates = try await unreferenced(roots: roots)
        let deadline = Timestamp(milliseconds: now.milliseconds - grace.wholeMilliseconds)
        return try await offloaded { () throws(RegistryError) in
            var deleted: [Digest] = []
            for digest in candidates where try deleteIfOlder(digest, than: deadline) { deleted.append(digest) }
            return deleted
        }
    }

    /// The blobs that a bundle manifest needs; none for a root that is something else or missing.
    private func references(of root: Digest) async throws(RegistryError) -> [Digest] {
        var status = stat()
        guard stat(blob(root), &status) == 0 else {
            if errno == ENOENT { return [] }
            throw .content(.system("look at", blob(root)), root)
        }
        guard status.st_size <= BundleManifest.bytesMax else { return [] }
        let bytes: [UInt8]
        do throws(RegistryError) {
            bytes = try await get(root)
        } catch {
            if error.code == .notFound { return [] }
            throw error
        }
        guard case .success(let manifest) = BundleForm.manifest(bytes) else { return [] }
        return manifest.blobs
    }

    /// Looks at the blob's age and deletes it in one step with respect to `contains`.
    private func deleteIfOlder(_ digest: Digest, than deadline: Timestamp) throws(RegistryError) -> Bool {
        let path = blob(digest)
        let outcome = withLock(LOCK_EX) { () -> Result<Bool, ContentError> in
            var status = stat()
            guard stat(path, &status) == 0 else {
                return errno == ENOENT ? .success(false) : .failure(.system("look at", path))
            }
            let used = max(milliseconds(status.st_atim), milliseconds(status.st_mtim))
            guard used < deadline.milliseconds else { return .success(false) }
            verified.forget(digest)
            return unlink(path) == 0 ? .success(true) : .failure(.system("delete", path))
        }
        switch outcome {
        case .success(let isDeleted): return isDeleted
        case .failure(let error): throw .content(error, digest)
        case nil: throw .content(.system("lock", "\(root)/lock"), digest)
        }
    }
}

private func milliseconds(_ time: timespec) -> Int64 { Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000 }
