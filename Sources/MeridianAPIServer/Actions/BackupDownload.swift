// BackupDownload: sends a backup as it is made.
internal import Hummingbird
internal import Logging
internal import MeridianModel
internal import MeridianPorts
internal import NIOCore
internal import ServiceLifecycle

extension RequestHandler {
    /// A backup of the platform as a tar archive.
    ///
    /// It is asked for by POST, so that the audit log tells who took one, and whether with keys.
    func backup(withKeys: Bool) async throws(APIFailure) -> Answer {
        guard let backups = backends.backups else { throw .noResource }
        let bytes = try await backend { () async throws(BackendError) in try await backups.backup(withKeys: withKeys) }
        let logger = logger
        return .stream("application/x-tar") { writer in
            do {
                try await send(bytes, to: writer)
            } catch {
                // The status is sent already; the connection is cut, so that the client cannot take this for the end.
                logger.error("a backup was not sent to its end", metadata: ["reason": "\(error)"])
                throw error
            }
        }
    }
}

/// Writes the pieces as the client takes them; throws where the server stops before the last one.
private func send(_ bytes: BlobBytes, to writer: StreamWriter) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            for try await piece in bytes { try await writer.write(ByteBuffer(bytes: piece)) }
        }
        group.addTask {
            try await gracefulShutdown()
            throw CancellationError()
        }
        defer { group.cancelAll() }
        try await group.next()
    }
}
