// APIClient+Verbs: what Meridian can do beyond reading and writing objects.
internal import AsyncHTTPClient
package import MeridianModel
package import MeridianPorts
internal import NIOCore

extension APIClient {
    /// How long an upload may take: 100 MB in ten minutes is slower than any link this is meant for.
    private static let uploadDuration = Duration.seconds(600)
    /// Beyond the time of a lesson: unpacking a bundle, waiting for the program to listen, stopping it.
    private static let lessonOverhead = Duration.seconds(300)
    /// How long a log may be followed before the command is to be given again.
    private static let followDuration = Duration.seconds(7 * 86_400)

    /// Makes an earlier revision serve; nil: the newest ready one that is older than what serves.
    ///
    /// - Returns: the app; its annotation `OwnAnnotation.rollbackTo` names the revision (none: the newest serves).
    package func rollback(_ app: ObjectKey, to revision: String? = nil) async throws(APIClientError) -> JSONValue {
        let body: JSONValue = revision.map { ["to": .string($0)] } ?? [:]
        return try await send("POST", try path(app, subresource: "rollback"), .json(body))
    }

    /// Replaces the app's runners by new ones of the same revision.
    package func restart(_ app: ObjectKey) async throws(APIClientError) -> JSONValue {
        try await send("POST", try path(app, subresource: "restart"))
    }

    /// Builds the app anew, without the cache.
    package func rebuild(_ app: ObjectKey) async throws(APIClientError) -> JSONValue {
        try await send("POST", try path(app, subresource: "rebuild"))
    }

    /// Runs the app's newest built revision in a sandbox of its own to see which syscalls it makes; takes as long as the
    /// settings say.
    package func learn(_ app: ObjectKey, _ settings: LearnSettings) async throws(APIClientError) -> JSONValue {
        let path = try path(app, subresource: "learn")
        let duration = settings.duration + Self.lessonOverhead
        return try await endpoint.json("POST", path, .json(settings.encoded()), within: duration).value
    }

    /// The lines that an app's runners or its build printed, oldest first.
    package func logs(_ request: LogRequest) async throws(APIClientError) -> LogLines {
        let query = queryText([
            "follow": request.follows ? "1" : nil, "revision": request.revision,
            "tailLines": request.tailLines.map { String($0) }, "build": request.isBuild ? "1" : nil,
        ])
        let path = try path(request.app, subresource: "log") + query
        let response = try await endpoint.open("GET", path, within: Self.followDuration)
        return LogLines(ResponseLines(response.body, from: endpoint))
    }

    /// The plan with `objects` put over what is stored and without `removed`; without any, what the loop would do now.
    package func plan(
        _ objects: [JSONValue],
        removing removed: [ObjectKey] = []
    ) async throws(APIClientError) -> JSONValue {
        let names = removed.map { key -> JSONValue in
            ["kind": .string(key.kind), "namespace": .string(key.namespace), "name": .string(key.name)]
        }
        return try await send(
            "POST",
            "/meridian/v1/plan",
            .json(["objects": .array(objects), "removed": .array(names)])
        )
    }

    /// The last entries of the audit log that a query wants, the oldest first.
    package func audit(_ query: AuditQuery) async throws(APIClientError) -> [JSONValue] {
        let parameters = queryText([
            "user": query.user, "resource": query.resource, "namespace": query.namespace, "name": query.name,
            "since": query.since?.description, "limit": String(query.limit),
        ])
        return try await send("GET", "/meridian/v1/audit\(parameters)")["items"]?.array ?? []
    }

    /// The public key that values are sealed with for Git: `id`, `publicKey` (PEM), `createdAt`.
    package func sealKey() async throws(APIClientError) -> JSONValue {
        try await send("GET", "/meridian/v1/seal-key")
    }

    /// Has another key pair made and answers its public key.
    package func rotateSealKey() async throws(APIClientError) -> JSONValue {
        try await send("POST", "/meridian/v1/seal-key")
    }

    /// How long a backup may take: a day's worth of the slowest link that anyone backs up over.
    private static let backupDuration = Duration.seconds(86_400)

    /// The bytes of a backup of the platform; with the keys that open its Secrets only `withKeys`.
    ///
    /// Whether they are whole is for the reader to see: a connection that was cut ends them with an error.
    package func backup(withKeys: Bool) async throws(APIClientError) -> AnswerBytes {
        let query = queryText(["keys": withKeys ? "true" : nil])
        let response = try await endpoint.open("POST", "/meridian/v1/backup\(query)", within: Self.backupDuration)
        return AnswerBytes(response.body, from: endpoint)
    }

    /// The platform's state in short.
    package func status() async throws(APIClientError) -> JSONValue { try await send("GET", "/meridian/v1/status") }

    /// What the nodes measured: `{nodes: [NodeMeasures], silent: [name]}`.
    package func measures() async throws(APIClientError) -> JSONValue {
        try await send("GET", "/meridian/v1/measures")
    }

    /// The server's version.
    package func version() async throws(APIClientError) -> JSONValue { try await send("GET", "/version") }

    /// Whether the server has a blob.
    package func hasBlob(_ digest: Digest) async throws(APIClientError) -> Bool {
        do {
            _ = try await endpoint.open("HEAD", "/meridian/v1/blobs/\(digest)", within: .seconds(10))
            return true
        } catch {
            guard error.code == .notFound else { throw error }
            return false
        }
    }

    /// Sends a file unless the server has it.
    ///
    /// The server checks the digest. The answer is whether the file was sent.
    @discardableResult
    package func upload(_ digest: Digest, file path: String) async throws(APIClientError) -> Bool {
        guard try await !hasBlob(digest) else { return false }
        let chunks = try FileChunks(path)
        let body = HTTPEndpoint.Body(
            content: .stream(chunks, length: .known(chunks.count)),
            type: "application/octet-stream"
        )
        _ = try await endpoint.json("PUT", "/meridian/v1/blobs/\(digest)", body, within: Self.uploadDuration)
        return true
    }
}
