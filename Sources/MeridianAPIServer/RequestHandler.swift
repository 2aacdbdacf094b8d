// RequestHandler: from a request to its answer.
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import MeridianMerging
internal import MeridianModel
internal import MeridianPorts
internal import NIOCore

/// The patches that are taken, by media type; not Kubernetes' strategic merge patch, which is for its own kinds.
enum PatchType: String, CaseIterable {
    case apply = "application/apply-patch+yaml"
    case merge = "application/merge-patch+json"
    case json = "application/json-patch+json"
}

/// Dispatches requests by path and method.
struct RequestHandler: Sendable {
    /// Bytes of a body, but for blobs: what Kubernetes takes.
    static let bodyBytesMax = 3 << 20
    /// Bytes of a packed source.
    static let blobBytesMax = 100 << 20

    let objects: ObjectAPI
    let backends: APIBackends
    let version: String
    let logger: Logger

    /// The answer to a request; every error is answered as a Status object.
    func respond(to request: Request) async -> Response {
        let start = ContinuousClock.now
        let response: Response
        do throws(APIFailure) {
            try checkLoopback(request.head)
            response = try await answer(request).response(to: request)
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
        case (.plan, .post): return .json(200, try await objects.plan(try await body(request), backends.plan))
        case (.blob(let digest), .head): return .empty(await backends.blobs.contains(digest) ? 200 : 404)
        case (.blob(let digest), .put): return try await receive(digest, request)
        case (.collection(let kind, let namespace), _):
            return try await collection(kind, namespace, request, parameters)
        case (.object(let kind, let key), _): return try await object(kind, key, request, parameters)
        case (.objectStatus(let kind, let key), .get):
            return .json(200, objects.served(try await objects.record(key, kind)))
        case (.objectStatus(let kind, let key), _): return try await status(kind, key, request, parameters)
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
            var options = try writeOptions(request, parameters)
            let body = try await objectBody(request, &options)
            let given = body["metadata"]?["namespace"]?.string ?? ""
            let place = kind.isNamespaced ? namespace ?? (given.isEmpty ? "default" : given) : ""
            return .written(try await objects.create(body, kind, namespace: place, options))
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
        switch request.method {
        case .put, .patch: return try await change(kind, key, request, try writeOptions(request, parameters))
        case .delete:
            let options = try DeleteOptions(try await body(request), parameters)
            return .json(200, try await objects.delete(key, kind, options))
        default: throw .notAllowed("the server does not allow \(request.method) on an object")
        }
    }

    /// PUT and PATCH of a kind's status, which Meridian alone may write for the kinds that it alone writes.
    private func status(
        _ kind: Kind,
        _ key: ObjectKey,
        _ request: Request,
        _ parameters: QueryParameters
    ) async throws(APIFailure) -> Answer {
        guard [.put, .patch].contains(request.method) else {
            throw .notAllowed("the server does not allow \(request.method) on a status")
        }
        try objects.checkDeclared(kind)
        return try await change(kind, key, request, try writeOptions(request, parameters, part: .status))
    }

    /// PUT and PATCH of one object, or of the part of it that the options name.
    private func change(
        _ kind: Kind,
        _ key: ObjectKey,
        _ request: Request,
        _ given: WriteOptions
    ) async throws(APIFailure) -> Answer {
        var options = given
        guard request.method == .patch else {
            let body = try await objectBody(request, &options)
            return .written(try await objects.replace(body, kind, key, options))
        }
        let type = mediaType(of: request)
        guard let patch = PatchType(rawValue: type) else {
            let known = PatchType.allCases.map(\.rawValue).joined(separator: ", ")
            throw .mediaType("the body of a patch was \"\(type.prefix(80))\"; supported: \(known)")
        }
        let body = try await objectBody(request, &options, types: [type])
        switch patch {
        case .apply: return .written(try await objects.apply(body, kind, key, options))
        case .merge: return .written(try await objects.mergePatch(body, kind, key, options))
        case .json: return .written(try await objects.jsonPatch(body, kind, key, options))
        }
    }

    private func log(_ key: ObjectKey, _ parameters: QueryParameters) async throws(APIFailure) -> Answer {
        let wanted = try LogRequest(app: key, parameters)
        _ = try await objects.record(key, try appKind())
        let lines = try await backend { () throws(BackendError) in try await backends.logs.log(wanted) }
        return .stream("text/plain; charset=utf-8") { try await sendLines(lines, to: $0) }
    }

    private func writeOptions(
        _ request: Request,
        _ parameters: QueryParameters,
        part: ObjectPart = .main
    ) throws(APIFailure) -> WriteOptions {
        try WriteOptions(parameters, userAgent: request.headers[.userAgent], part: part)
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
