// APIClient: the API as the command line and other programs use it.
internal import AsyncHTTPClient
package import MeridianModel
internal import NIOCore
internal import NIOHTTP1

/// Requests to one API server, whose errors carry the words that the server sent.
///
/// It holds connections: end it with `shutdown()`, or use `withClient`.
package struct APIClient: Sendable {
    /// How long a request may take that only reads or writes objects; planning thousands takes seconds.
    private static let requestDuration = Duration.seconds(60)

    /// The base URL.
    package let server: String
    let endpoint: HTTPEndpoint

    /// A client of the server at `http://HOST:PORT`, `https://HOST:PORT` or `http+unix://` and the percent-encoded path
    /// of a socket.
    ///
    /// - Throws: `.local` where the text is no such URL, or the credentials cannot be used with it.
    package init(server: String, credentials: APICredentials = APICredentials()) throws(APIClientError) {
        let base = server.hasSuffix("/") ? String(server.dropLast()) : server
        let schemes = ["http://", "https://", "http+unix://"]
        guard schemes.contains(where: { base.hasPrefix($0) && base.utf8.count > $0.utf8.count }) else {
            throw APIClientError(.local, "\"\(server)\" is not a server; give http://HOST:PORT or https://HOST:PORT")
        }
        self.server = base
        endpoint = try HTTPEndpoint(
            base: base,
            absenceHint:
                "no Meridian API at \(base): is `meridian up` running? Start it, or name another server with --server",
            credentials: credentials
        )
    }

    /// Runs `body` with a client and closes its connections afterwards.
    package static func withClient<Value>(
        server: String,
        credentials: APICredentials = APICredentials(),
        _ body: (APIClient) async throws -> Value
    ) async throws -> Value {
        let client = try APIClient(server: server, credentials: credentials)
        do {
            let value = try await body(client)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// Closes every connection; the client cannot be used afterwards.
    package func shutdown() async { await endpoint.shutdown() }

    /// Sends a request and reads its whole JSON answer.
    func send(
        _ method: String,
        _ path: String,
        _ body: HTTPEndpoint.Body? = nil
    ) async throws(APIClientError) -> JSONValue {
        try await endpoint.json(method, path, body, within: Self.requestDuration).value
    }

    /// Makes the fields that `object` names so, as server-side apply does: what `manager` applied before and does not
    /// name now goes, what others own stays, and an object that is so already is not written.
    ///
    /// With `isDryRun` the server checks and answers as for real, and writes nothing. Unless it `isForced`, fields that
    /// others own with another value are refused with `conflict` and a cause each.
    package func apply(
        _ object: JSONValue,
        _ key: ObjectKey,
        isDryRun: Bool = false,
        manager: String = meridianManager,
        isForced: Bool = false
    ) async throws(APIClientError) -> Applied {
        let query = queryText([
            "fieldManager": manager, "fieldValidation": strictValidation, "dryRun": isDryRun ? "All" : nil,
            "force": isForced ? "true" : nil,
        ])
        let body = HTTPEndpoint.Body.json(object, type: "application/apply-patch+yaml")
        let answer = try await endpoint.json("PATCH", try path(key) + query, body, within: Self.requestDuration)
        let change = answer.headers.first(name: "meridian-change").flatMap { Applied.Change(rawValue: $0) }
        return Applied(object: answer.value, change: change ?? .configured)
    }

    /// What an apply led to.
    package struct Applied: Sendable {
        /// In the words that `apply` prints.
        package enum Change: String, Sendable {
            case created, configured, unchanged
        }

        /// The object as the server has it now (for a dry run: as it would be).
        package let object: JSONValue
        package let change: Change
    }

    /// The path of an object.
    func path(_ key: ObjectKey, subresource: String? = nil) throws(APIClientError) -> String {
        guard let kind = Kind.all.first(where: { $0.name == key.kind }) else {
            throw APIClientError(.local, "there is no kind \"\(key.kind)\"")
        }
        return path(kind, namespace: key.namespace) + "/" + percentEncoded(key.name)
            + (subresource.map { "/\($0)" } ?? "")
    }

    /// The path of a kind's objects in a namespace, or everywhere (nil or empty).
    func path(_ kind: Kind, namespace: String?) -> String {
        let place =
            namespace.flatMap { $0.isEmpty || !kind.isNamespaced ? nil : "namespaces/\(percentEncoded($0))/" } ?? ""
        return "/apis/\(apiVersionText)/\(place)\(kind.plural)"
    }
}
