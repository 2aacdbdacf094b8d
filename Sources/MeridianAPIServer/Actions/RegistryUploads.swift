// RegistryUploads: takes blobs from clients into the registry, by way of a file.
internal import Glibc
package import MeridianModel
package import MeridianPorts

/// Writes an upload to a file of its own and hands that to the registry.
package struct RegistryUploads: BlobUploadPort {
    private let registry: any RegistryPort
    private let directory: String

    /// Uploads that are files of `directory` while they arrive: on the registry's file system, and there already.
    package init(registry: any RegistryPort, directory: String) {
        self.registry = registry
        self.directory = directory
    }

    package func contains(_ digest: Digest) async -> Bool { await registry.contains(digest) }

    package func receive(_ digest: Digest, _ chunks: BlobBytes) async throws(BackendError) {
        var template = Array("\(directory)/upload-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard file >= 0 else { throw Self.failure("make a file in", directory) }
        // After the registry took the file over there is nothing left to remove.
        defer { unlink(path) }
        do throws(BackendError) {
            try await Self.write(chunks, to: file, path)
        } catch {
            close(file)
            throw error
        }
        guard close(file) == 0 else { throw Self.failure("write", path) }
        try await store(path, as: digest)
    }

    private func store(_ path: String, as digest: Digest) async throws(BackendError) {
        let stored: Digest
        do throws(RegistryError) {
            stored = try await registry.put(file: path)
        } catch {
            throw BackendError(error.code == .refused ? .invalid : .unavailable, error.message)
        }
        guard stored == digest else {
            throw BackendError(
                .invalid,
                "the bytes that were sent have the digest \(stored), not \(digest); send them again"
            )
        }
    }

    private static func write(_ chunks: BlobBytes, to file: Int32, _ path: String) async throws(BackendError) {
        do {
            for try await chunk in chunks { try write(chunk, to: file, path) }
        } catch let error as BackendError {
            throw error
        } catch {
            throw BackendError(.interrupted, "the upload did not end well: \(error)")
        }
    }

    private static func write(_ chunk: [UInt8], to file: Int32, _ path: String) throws(BackendError) {
        var rest = chunk[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// The error of the system call that failed just now.
    private static func failure(_ doing: String, _ path: String) -> BackendError {
        let reason = String(cString: strerror(errno))
        return BackendError(.unavailable, "cannot \(doing) \(path): \(reason)")
    }
}
