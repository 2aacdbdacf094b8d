// RequestHandler: from a request to its answer.
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import MeridianContent
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

    var objects: ObjectAPI
    let backends: APIBackends
    let authenticator: Authenticator
    /// Who sent the request; nobody before it is admitted.
    var caller = Caller.anonymous
    let auditLog: any AuditPort
    let desk: WatchDesk
    let documents: APIDocuments
    let version: String
    let logger: Logger

    /// The answer to a request from an IP address; every error is answered as a Status object.
    func respond(to request: Request, from address: String?) async -> Response {
        let start = ContinuousClock.now
        let received = objects.clock.now
        var handler = self
        let trail = AuditTrail()
        handler.objects.trail = trail
        let response: Response
        do throws(APIFailure) {
            if let hooked = try await hookAnswer(request) {
                response = hooked.response(to: request)
            } else {
                response = try await handler.admitted(request).answer(request).response(to: request)
            }
        } catch {
            response = Answer.json(error.code, error.object).response(to: request)
        }
        audit(request, response.status.code, trail, from: address, since: received)
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
        case (.audit, .get): return .json(200, try await auditEntries(parameters))
        case (.sealKey, .get), (.sealKey, .post): return .json(200, try await sealKey(rotates: request.method == .post))
        case (.backup, .post): return try await backup(withKeys: try parameters.flag("keys"))
        case (.measures, .get): return .json(200, try await measures())
        case (.metrics, .get): return try await metrics()
        case (.blob(let digest), .head): return .empty(await backends.blobs.contains(digest) ? 200 : 404)
        case (.blob(let digest), .put): return try await receive(digest, request)
        case (.discovery(let path), .get): return try discovery(path, request)
        case (.openAPI(let path), .get): return try openAPI(path, request)
        case (.review(let review), .post):
            return .json(
                201,
                try review.answer(try await body(request, types: Self.objectTypes), by: caller)
            )
        case (.collection(let resource, let namespace), _):
            return try await collection(resource, namespace, request, parameters)
        case (.object(let resource, let key), _): return try await object(resource, key, request, parameters)
        case (.subresource(let subresource, let resource, let key), _):
            return try await answer(subresource, resource, key, request, parameters)
        default: throw .notAllowed("the server does not allow \(request.method) on \(request.uri.path.prefix(200))")
        }
    }

    private func discovery(_ path: APIRoute.DiscoveryPath, _ request: Request) throws(APIFailure) -> Answer {
        let isAggregated = (request.headers[.accept] ?? "").split(separator: ",").prefix(AnswerForm.rangesMax).contains
        {
            let media = MediaType($0)
            return media.parameters["g"] == "apidiscovery.k8s.io" && media.parameters["v"] == "v2"
        }
        switch path {
        case .core where isAggregated: return .typedJSON(Discovery.aggregatedType, Discovery.aggregated(isCore: true))
        case .groups where isAggregated:
            return .typedJSON(Discovery.aggregatedType, Discovery.aggregated(isCore: false))
        case .core: return .json(200, Discovery.coreVersions)
        case .groups: return .json(200, Discovery.groupList)
        case .group(let name):
            guard let group = Discovery.group(name) else { throw .noResource }
            return .json(200, group)
        case .resources(let group):
            guard let list = Discovery.resources(group) else { throw .noResource }
            return .json(200, list)
        }
    }

    private func openAPI(_ path: APIRoute.OpenAPIPath, _ request: Request) throws(APIFailure) -> Answer {
        switch path {
        case .second:
            // Old kubectls ask for protobuf and take nothing else; nobody else asks.
            guard request.headers[.accept]?.contains("proto-openapi.spec.v2") == true else {
                throw .notAcceptable(request.headers[.accept] ?? "")
            }
            return .document(documents.second)
        case .index: return .document(documents.index)
        case .group(let group):
            guard let document = documents.groups[group] else { throw .noResource }
            return .document(document)
        }
    }

    private func readiness() async throws(APIFailure) -> Answer {
        _ = try await objects.storedRecord(ObjectKey(kind: AppSpec.kind, namespace: "default", name: "readiness"))
        return .text(200, "ok")
    }

    private func sealKey(rotates: Bool) async throws(APIFailure) -> JSONValue {
        guard let keys = backends.sealKeys else { throw .noResource }
        return try await backend { () async throws(BackendError) in
            rotates ? try await keys.rotateSealKey() : try await keys.sealKey()
        }
    }

    private func measures() async throws(APIFailure) -> JSONValue {
        guard let measures = backends.measures else { throw .noResource }
        let (nodes, silent) = await measures.measures()
        return ["nodes": .array(nodes.map { $0.encoded() }), "silent": .array(silent.map { .string($0) })]
    }

    private func metrics() async throws(APIFailure) -> Answer {
        guard let measures = backends.measures else { throw .noResource }
        let own = try await backend { () async throws(BackendError) in try await measures.ownMetrics() }
        return .typedText(MetricsText.mediaType, own + metricsText(await measures.measures().nodes))
    }

    private var versionObject: JSONValue {
        // kubectl reads gitVersion to see how far its own version is from the server's.
        [
            "major": "1", "minor": "37", "gitVersion": .string("v1.37.0+meridian.\(version)"),
            "platform": "linux/amd64", "meridian": .string(version),
        ]
    }

    func backend<Value>(
        _ body: () async throws(BackendError) -> Value
    ) async throws(APIFailure) -> Value {
        do { return try await body() } catch { throw APIFailure(error) }
    }
}
