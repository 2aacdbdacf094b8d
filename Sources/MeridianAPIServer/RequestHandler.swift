// RequestHandler: from a request to its answer.
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import MeridianModel
internal import MeridianPorts
internal import NIOCore

/// Dispatches requests by path and method.
struct RequestHandler: Sendable {
    /// Bytes of a body, but for blobs: what Kubernetes takes.
    static let bodyBytesMax = 3 << 20
    /// Bytes of a packed source.
    static let blobBytesMax = 100 << 20

    let objects: ObjectAPI
    let backends: APIBackends
    let authenticator: Authenticator
    /// Who sent the request; nobody before it is admitted.
    var caller = Caller.anonymous
    let version: String
    let logger: Logger

    /// The answer to a request; every error is answered as a Status object.
    func respond(to request: Request) async -> Response {
        let start = ContinuousClock.now
        let response: Response
        do throws(APIFailure) {
            response = try await admitted(request).answer(request).response(to: request)
        } catch {
            response = Answer.json(error.code, error.object).response(to: request)
        }
        logger.debug(
            "request answered",
            metadata: [
                "method": "\(request.method)", "path": "\(request.uri.path)", "code": "\(response.status.code)",
                "milliseconds": "\((ContinuousClock.now - start).wholeMilliseconds)",
            ]
        )
        return response
    }

    private func answer(_ request: Request) async throws(APIFailure) -> Answer {
        let parameters = try QueryParameters(request.uri.query)
        let route = try APIRoute(path: request.uri.path)
        switch (route, request.method) {
        case (.version, .get): return .json(200, versionObject)
        case (.health, .get): return .text(200, "ok")
        case (.ready, .get): return try await readiness()
        case (.status, .get): return .json(200, try await backend(backends.status.status))
        case (.plan, .post):
            return .json(200, try await objects.plan(try await body(request), backends.plan, for: caller))
        case (.blob(let digest), .head): return .empty(await backends.blobs.contains(digest) ? 200 : 404)
        case (.blob(let digest), .put): return try await receive(digest, request)
        case (.collection(let kind, let namespace), _):
            return try await collection(kind, namespace, request, parameters)
        case (.object(let kind, let key), _): return try await object(kind, key, request, parameters)
        case (.objectStatus(let kind, let key), .get):
            return .json(200, objects.served(try await objects.record(key, kind)))
        case (.action(let action, let key), .post):
            let kind = try appKind()
            let body = try await body(request)
            let isDryRun = try parameters.isDryRun()
            return .json(200, try await objects.act(action, key, kind, body: body, isDryRun: isDryRun))
        case (.appLog(let key), .get): return try await log(key, parameters)
        default: throw .notAllowed("the server does not allow \(request.method) on \(request.uri.path)")
        }
    }

    private func collection(
        _ kind: Kind,
        _ namespace: String?,
        _ request: Request,
        _ parameters: QueryParameters
    ) async throws(APIFailure) -> Answer {
        switch request.method {
        case .get:
            let filter = try ObjectFilter(kind: kind, namespace: namespace, parameters: parameters)
            guard try parameters.flag("watch") else {
                return .json(200, try await objects.list(kind, filter, parameters))
            }
            let watch = try ObjectWatch(objects, kind, filter, parameters)
            return .stream("application/json") { try await watch.run($0) }
        case .post:
            try objects.checkDeclared(kind)
            let isDryRun = try parameters.isDryRun()
            let body = try await requiredBody(request)
            let given = body["metadata"]?["namespace"]?.string ?? ""
            let place = kind.isNamespaced ? namespace ?? (given.isEmpty ? "default" : given) : ""
            return .written(try await objects.create(body, kind, namespace: place, isDryRun: isDryRun))
        default: throw .notAllowed("the server does not allow \(request.method) on a collection; name one object")
        }
    }

    private func object(
        _ kind: Kind,
        _ key: ObjectKey,
        _ request: Request,
        _ parameters: QueryParameters
    ) async throws(APIFailure) -> Answer {
        if request.method == .get { return .json(200, objects.served(try await objects.record(key, kind))) }
        try objects.checkDeclared(kind)
        let isDryRun = try parameters.isDryRun()
        switch request.method {
        case .put:
            let body = try await requiredBody(request)
            return .written(try await objects.replace(body, kind, key, isDryRun: isDryRun))
        case .patch:
            return try await patch(kind, key, request, isDryRun: isDryRun)
        case .delete:
            let options = try DeleteOptions(try await body(request), parameters)
            return .json(200, try await objects.delete(key, kind, options))
        default: throw .notAllowed("the server does not allow \(request.method) on an object")
        }
    }

    private func patch(
        _ kind: Kind,
        _ key: ObjectKey,
        _ request: Request,
        isDryRun: Bool
    ) async throws(APIFailure) -> Answer {
        let known = ["application/apply-patch+yaml", "application/merge-patch+json"]
        let type = mediaType(of: request)
        guard known.contains(type) else {
            throw .mediaType("the body of a patch was \"\(type)\"; supported: \(known.joined(separator: ", "))")
        }
        let body = try await requiredBody(request, types: known)
        if type == known[1] {
            return .written(try await objects.mergePatch(body, kind, key, isDryRun: isDryRun))
        }
        return .written(try await objects.apply(body, kind, key, isDryRun: isDryRun))
    }

    private func log(_ key: ObjectKey, _ parameters: QueryParameters) async throws(APIFailure) -> Answer {
        let wanted = try LogRequest(app: key, parameters)
        _ = try await objects.record(key, try appKind())
        let lines = try await backend { () throws(BackendError) in try await backends.logs.log(wanted) }
        return .stream("text/plain; charset=utf-8") { try await sendLines(lines, to: $0) }
    }

    private func readiness() async throws(APIFailure) -> Answer {
        _ = try await objects.storedRecord(ObjectKey(kind: AppSpec.kind, namespace: "default", name: "readiness"))
        return .text(200, "ok")
    }

    private func appKind() throws(APIFailure) -> Kind {
        guard let kind = Kind.named(AppSpec.kind) else { throw .noResource }
        return kind
    }

    private var versionObject: JSONValue {
        // kubectl reads gitVersion to see how far its own version is from the server's.
        [
            "major": "1", "minor": "37", "gitVersion": .string("v1.37.0+meridian.\(version)"),
            "platform": "linux/amd64", "meridian": .string(version),
        ]
    }

    private func backend<Value>(
        _ body: () async throws(BackendError) -> Value
    ) async throws(APIFailure) -> Value {
        do { return try await body() } catch { throw APIFailure(error) }
    }
}
