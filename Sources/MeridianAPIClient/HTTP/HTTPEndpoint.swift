// HTTPEndpoint: one HTTP server, on TCP or a Unix socket, and requests to it.
internal import AsyncHTTPClient
internal import MeridianModel
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// A server by its base URL.
struct HTTPEndpoint: Sendable {
    /// Bytes of an answer that is read as a whole: a list of 10,000 objects is a tenth of it.
    static let answerBytesMax = 256 << 20
    /// Connecting to this machine takes microseconds; a full backlog may take a little.
    private static let connectSecondsMax: Int64 = 5
    /// Watches hold a connection each; the library's default of 8 would make the ninth wait for ever.
    private static let connectionsMax = 4096

    /// `http://HOST:PORT`, `https://HOST:PORT`, or `http+unix://` and the percent-encoded path of a socket.
    let base: String
    /// What is not there when nobody answers, and what to do: ends the message of `.unreachable`.
    let absenceHint: String
    private let http: HTTPClient
    private let token: String?

    /// A server that is asked without credentials.
    init(base: String, absenceHint: String) {
        self.init(base: base, absenceHint: absenceHint, token: nil, tls: nil)
    }

    init(base: String, absenceHint: String, credentials: APICredentials) throws(APIClientError) {
        try credentials.check(base: base)
        self.init(
            base: base,
            absenceHint: absenceHint,
            token: credentials.token,
            tls: try credentials.tlsConfiguration()
        )
    }

    private init(base: String, absenceHint: String, token: String?, tls: TLSConfiguration?) {
        self.base = base
        self.absenceHint = absenceHint
        self.token = token
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(Self.connectSecondsMax), read: nil)
        )
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connectionsMax
        configuration.httpVersion = .http1Only
        configuration.tlsConfiguration = tls
        http = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    /// Closes every connection; nothing can be sent afterwards.
    func shutdown() async {
        do {
            try await http.shutdown()
        } catch {
            // It only fails where it was shut down before, and then there is nothing left to close.
        }
    }

    /// What is sent with a request.
    struct Body {
        let content: HTTPClientRequest.Body
        let type: String

        static func json(_ value: JSONValue, type: String = "application/json") -> Body {
            Body(content: .bytes(ByteBuffer(bytes: value.utf8())), type: type)
        }
    }

    /// Sends a request and answers as soon as the head of its answer is there; an error status is thrown.
    ///
    /// `path` begins with `/` and includes the query; `duration` bounds the request with its whole answer.
    func open(
        _ method: String,
        _ path: String,
        _ body: Body? = nil,
        within duration: Duration
    ) async throws(APIClientError) -> HTTPClientResponse {
        var request = HTTPClientRequest(url: base + path)
        request.method = HTTPMethod(rawValue: method)
        if base.hasPrefix("http+unix:") { request.headers.add(name: "host", value: "localhost") }
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "content-type", value: body.type)
            request.body = body.content
        }
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, timeout: .milliseconds(duration.wholeMilliseconds))
        } catch {
            throw failure(error)
        }
        guard response.status.code >= 300 else { return response }
        throw await refusal(response, isHead: method == "HEAD")
    }

    /// Sends a request and reads the whole answer as JSON; `.null` where it is empty.
    func json(
        _ method: String,
        _ path: String,
        _ body: Body? = nil,
        within duration: Duration
    ) async throws(APIClientError) -> (value: JSONValue, headers: HTTPHeaders) {
        let response = try await open(method, path, body, within: duration)
        let bytes: ByteBuffer
        do {
            bytes = try await response.body.collect(upTo: Self.answerBytesMax)
        } catch {
            throw failure(error)
        }
        guard bytes.readableBytes > 0 else { return (.null, response.headers) }
        do throws(JSONSyntaxError) {
            return (try JSONValue(parsing: Array(bytes.readableBytesView)), response.headers)
        } catch {
            throw APIClientError(.malformed, "\(base) answered what is not JSON (\(error)); is it a Meridian API?")
        }
    }

    private func refusal(_ response: HTTPClientResponse, isHead: Bool) async -> APIClientError {
        let code = Int(response.status.code)
        guard !isHead else { return APIClientError(status: nil, httpStatus: code, server: base) }
        do {
            let bytes = try await response.body.collect(upTo: Self.answerBytesMax)
            let status = try JSONValue(parsing: Array(bytes.readableBytesView))
            return APIClientError(status: status, httpStatus: code, server: base)
        } catch {
            // The status code is the answer; a body that cannot be read adds nothing to it.
            return APIClientError(status: nil, httpStatus: code, server: base)
        }
    }

    /// The words for a connection that was refused, lost or too slow.
    func failure(_ error: any Error) -> APIClientError {
        if let error = error as? APIClientError { return error }
        if error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError {
            return APIClientError(
                .unreachable,
                "\(base) could not prove who it is (\(error)); name the authority of its certificate with"
                    + " --certificate-authority (tls/ca.crt in the data directory of the server)"
            )
        }
        switch error as? HTTPClientError {
        case .deadlineExceeded, .readTimeout, .connectTimeout:
            return APIClientError(.timedOut, "\(base) did not answer in time; try again")
        case .invalidURL, .emptyHost:
            return APIClientError(.local, "\"\(base)\" is not a URL of an API; give http://HOST:PORT")
        case .remoteConnectionClosed, .cancelled:
            return APIClientError(.unreachable, "the connection to \(base) ended before the answer did")
        default:
            return APIClientError(.unreachable, "\(absenceHint) (\(error))")
        }
    }
}
