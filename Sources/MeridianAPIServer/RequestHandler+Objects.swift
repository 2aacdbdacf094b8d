// RequestHandler+Objects: collections, objects and what is below them.
internal import HTTPTypes
internal import Hummingbird
internal import MeridianMerging
internal import MeridianModel
internal import MeridianPorts

extension RequestHandler {
    /// The media types that what is no stored object is sent in.
    static let objectTypes = ["application/json", protobufMediaType]
    /// The media types that objects to be stored are sent in.
    static let storedTypes = objectTypes + [yamlMediaType]
    /// The media type of YAML (RFC 9512).
    static let yamlMediaType = "application/yaml"

    func collection(
        _ resource: ServedResource,
        _ namespace: String?,
        _ request: Request,
        _ parameters: QueryParameters
    ) async throws(APIFailure) -> Answer {
        let representation = try representation(of: resource, request, parameters)
        switch request.method {
        case .get:
            let filter = try ObjectFilter(resource, namespace: namespace, parameters: parameters)
            guard try parameters.flag("watch") else {
                return .json(200, try await objects.list(representation, filter, parameters))
            }
            let watch = try ObjectWatch(objects, desk, representation, filter, parameters)
            return .stream("application/json") { try await watch.run($0) }
        case .post:
            try objects.checkDeclared(resource.kind)
            var options = try writeOptions(request, parameters)
            let body = try resource.view.accepted(try await objectBody(request, &options, types: Self.storedTypes))
            let given = body["metadata"]?["namespace"]?.string ?? ""
            let place = resource.kind.isNamespaced ? namespace ?? (given.isEmpty ? "default" : given) : ""
            let outcome = try await objects.create(objects.named(body), resource.kind, namespace: place, options)
            return .written(outcome, representation)
        case .delete:
            try objects.checkDeclared(resource.kind)
            let filter = try ObjectFilter(resource, namespace: namespace, parameters: parameters)
            let options = try DeleteOptions(try await body(request, types: Self.objectTypes), parameters)
            return .json(200, try await objects.deleteAll(representation, filter, options))
        default: throw .notAllowed("the server does not allow \(request.method) on a collection; name one object")
        }
    }

    func object(
        _ resource: ServedResource,
        _ key: ObjectKey,
        _ request: Request,
        _ parameters: QueryParameters
    ) async throws(APIFailure) -> Answer {
        let representation = try representation(of: resource, request, parameters)
        if request.method == .get { return try await read(resource, key, representation, parameters) }
        try objects.checkDeclared(resource.kind)
        switch request.method {
        case .put, .patch:
            let options = try writeOptions(request, parameters)
            return .written(try await change(resource, key, request, options), representation)
        case .delete:
            let options = try DeleteOptions(try await body(request, types: Self.objectTypes), parameters)
            let deleted = try await objects.delete(key, resource.kind, options)
            return .json(200, deleted.isGone ? deleted.answer : representation.object(deleted.answer))
        default: throw .notAllowed("the server does not allow \(request.method) on an object")
        }
    }

    /// GET of one object: itself, or a watch of it alone (`?watch=1`).
    private func read(
        _ resource: ServedResource,
        _ key: ObjectKey,
        _ representation: Representation,
        _ parameters: QueryParameters
    ) async throws(APIFailure) -> Answer {
        guard try parameters.flag("watch") else {
            let record = try await objects.record(key, resource.kind)
            return .json(200, representation.object(objects.served(record)))
        }
        let filter = try ObjectFilter(resource, only: key, parameters: parameters)
        let watch = try ObjectWatch(objects, desk, representation, filter, parameters)
        return .stream("application/json") { try await watch.run($0) }
    }

    /// PUT and PATCH of one object, or of the part of it that the options name.
    private func change(
        _ resource: ServedResource,
        _ key: ObjectKey,
        _ request: Request,
        _ given: WriteOptions
    ) async throws(APIFailure) -> WriteOutcome {
        var options = given
        let kind = resource.kind
        guard request.method == .patch else {
            let body = try await objectBody(request, &options, types: Self.storedTypes)
            return try await objects.replace(try resource.view.accepted(body), kind, key, options)
        }
        let type = mediaType(of: request)
        if resource.view.isStoredForm, let patch = PatchType(rawValue: type) {
            let body = try await objectBody(request, &options, types: [type])
            switch patch {
            case .apply: return try await objects.apply(body, kind, key, options)
            case .merge: return try await objects.mergePatch(body, kind, key, options)
            case .json: return try await objects.jsonPatch(body, kind, key, options)
            }
        }
        guard let patch = ShownPatch(mediaType: type), !resource.view.isStoredForm else {
            let known = PatchType.allCases.map(\.rawValue).joined(separator: ", ")
            throw .mediaType("the body of a patch was \"\(type.prefix(80))\"; supported: \(known)")
        }
        let body = try await objectBody(request, &options, types: [type])
        if patch == .apply { return try await objects.apply(try resource.view.accepted(body), kind, key, options) }
        return try await objects.patchShown(resource, key, patch, body, options)
    }

    func answer(
        _ subresource: Subresource,
        _ resource: ServedResource,
        _ key: ObjectKey,
        _ request: Request,
        _ parameters: QueryParameters
    ) async throws(APIFailure) -> Answer {
        switch (subresource, request.method) {
        case (.status, .get):
            let representation = try representation(of: resource, request, parameters)
            return .json(200, representation.object(objects.served(try await objects.record(key, resource.kind))))
        case (.status, .put), (.status, .patch):
            try objects.checkDeclared(resource.kind)
            let representation = try representation(of: resource, request, parameters)
            let options = try writeOptions(request, parameters, part: .status)
            return .written(try await change(resource, key, request, options), representation)
        case (.scale, .get): return .json(200, scale(of: objects.served(try await objects.record(key, resource.kind))))
        case (.scale, .put):
            let patch = try appPatch(from: try await requiredBody(request))
            return try await setScale(patch, resource, key, try writeOptions(request, parameters))
        case (.scale, .patch):
            guard mediaType(of: request) == "application/merge-patch+json" else {
                throw .mediaType(
                    "a scale is changed by application/merge-patch+json; got \"\(mediaType(of: request))\""
                )
            }
            let patch = try await requiredBody(request, types: ["application/merge-patch+json"])
            let live = scale(of: objects.served(try await objects.record(key, resource.kind)))
            var merged = mergePatched(live, with: patch)
            // The version counts only where the client named it.
            if patch["metadata"]?["resourceVersion"] == nil {
                merged = mergePatched(merged, with: ["metadata": ["resourceVersion": .null]])
            }
            let options = try writeOptions(request, parameters)
            return try await setScale(try appPatch(from: merged), resource, key, options)
        case (.log, .get) where resource.view == .pod: return try await podLog(key, resource.kind, parameters)
        case (.log, .get): return try await log(key, resource, parameters)
        case (.rollback, .post), (.restart, .post), (.rebuild, .post):
            let body = try await body(request)
            let isDryRun = try parameters.isDryRun()
            let answer = try await objects.act(subresource, key, resource.kind, body: body, isDryRun: isDryRun)
            return .json(200, answer)
        case (.learn, .post):
            return try await learn(key, resource, try await body(request))
        default:
            throw .notAllowed("the server does not allow \(request.method) on \(resource.name)/\(subresource.rawValue)")
        }
    }

    private func setScale(
        _ patch: JSONValue,
        _ resource: ServedResource,
        _ key: ObjectKey,
        _ options: WriteOptions
    ) async throws(APIFailure) -> Answer {
        let outcome = try await objects.mergePatch(patch, resource.kind, key, options)
        return .json(200, scale(of: outcome.object))
    }

    func representation(
        of resource: ServedResource,
        _ request: Request,
        _ parameters: QueryParameters
    ) throws(APIFailure) -> Representation {
        let form = try AnswerForm(accept: request.headers[.accept], parameters)
        return Representation(resource, form, now: objects.clock.now)
    }

    private func writeOptions(
        _ request: Request,
        _ parameters: QueryParameters,
        part: ObjectPart = .main
    ) throws(APIFailure) -> WriteOptions {
        try WriteOptions(parameters, userAgent: request.headers[.userAgent], part: part)
    }

    private func log(
        _ key: ObjectKey,
        _ resource: ServedResource,
        _ parameters: QueryParameters
    ) async throws(APIFailure) -> Answer {
        let request = try LogRequest(app: key, parameters)
        _ = try await objects.record(key, resource.kind)
        let lines = try await backend { () throws(BackendError) in try await backends.logs.log(request) }
        return .stream("text/plain; charset=utf-8") { try await sendLines(lines, to: $0) }
    }
}
