// APIFailure: an error as the API answers it: a Status object of the Kubernetes Resource Model.
internal import MeridianModel
internal import MeridianPorts

/// Why a request was refused, with everything that its Status object says.
struct APIFailure: Error, Sendable {
    /// The HTTP status code.
    let code: Int
    /// One word of Kubernetes' `metav1.StatusReason`.
    let reason: String
    /// What failed, on what, and the next step.
    let message: String
    /// `details` of the Status object; nil where there is nothing to tell.
    var details: JSONObject?

    init(_ code: Int, _ reason: String, _ message: String, details: JSONObject? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
    }

    /// The Status object.
    var object: JSONValue {
        var status = JSONObject()
        status["kind"] = "Status"
        status["apiVersion"] = "v1"
        status["metadata"] = [:]
        status["status"] = "Failure"
        status["message"] = .string(message)
        status["reason"] = .string(reason)
        status["details"] = details.map { .object($0) }
        status["code"] = .integer(Int64(code))
        return .object(status)
    }
}

extension APIFailure {
    static func badRequest(_ message: String) -> APIFailure { APIFailure(400, "BadRequest", message) }

    static func forbidden(_ message: String) -> APIFailure { APIFailure(403, "Forbidden", message) }

    /// No such path.
    static var noResource: APIFailure {
        APIFailure(404, "NotFound", "the server could not find the requested resource")
    }

    static func notFound(_ key: ObjectKey, _ kind: Kind) -> APIFailure {
        let name = key.name.prefix(namePrefix)
        return APIFailure(404, "NotFound", "\(kind.resource) \"\(name)\" not found", details: details(key, kind))
    }

    /// What is shown of a name that a client made up: names themselves have 63 characters at most.
    private static let namePrefix = 80

    static func notAcceptable(_ accept: String) -> APIFailure {
        APIFailure(
            406,
            "NotAcceptable",
            "only application/json is answered here, whole, as=Table or as=PartialObjectMetadata;"
                + " the Accept header was \"\(accept.prefix(200))\""
        )
    }

    static func notAllowed(_ message: String) -> APIFailure { APIFailure(405, "MethodNotAllowed", message) }

    static func alreadyExists(_ key: ObjectKey, _ kind: Kind, isBeingDeleted: Bool) -> APIFailure {
        let words = isBeingDeleted ? "object is being deleted: " : ""
        let message = "\(words)\(kind.resource) \"\(key.name)\" already exists"
        return APIFailure(409, "AlreadyExists", message, details: details(key, kind))
    }

    static func conflict(_ key: ObjectKey, _ kind: Kind, _ why: String = modifiedText) -> APIFailure {
        let message = "Operation cannot be fulfilled on \(kind.resource) \"\(key.name)\": \(why)"
        return APIFailure(409, "Conflict", message, details: details(key, kind))
    }

    /// Kubernetes' words for a resourceVersion that is not the stored one.
    static let modifiedText =
        "the object has been modified; please apply your changes to the latest version and try again"

    /// The reader's place in history is gone: list again.
    static func expired(_ message: String) -> APIFailure { APIFailure(410, "Expired", message) }

    static func tooLarge(_ message: String) -> APIFailure { APIFailure(413, "RequestEntityTooLarge", message) }

    static func mediaType(_ message: String) -> APIFailure { APIFailure(415, "UnsupportedMediaType", message) }

    static func unavailable(_ message: String) -> APIFailure { APIFailure(503, "ServiceUnavailable", message) }

    /// The object breaks rules: one cause per field.
    static func invalid(_ key: ObjectKey, _ kind: Kind, _ problems: [DecodingContext.Problem]) -> APIFailure {
        let texts = problems.map(\.message)
        let list = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
        var details = details(key, kind)
        details["causes"] = .array(
            problems.map { problem in
                [
                    "reason": .string(problem.reason.rawValue), "message": .string(problem.message),
                    "field": .string(problem.path.description),
                ]
            }
        )
        let message = "\(kind.qualifiedName) \"\(key.name)\" is invalid: \(list)"
        return APIFailure(422, "Invalid", message, details: details)
    }

    private static func details(_ key: ObjectKey, _ kind: Kind) -> JSONObject {
        var details = JSONObject()
        details["name"] = .string(String(key.name.prefix(namePrefix)))
        details["group"] = kind.group.isEmpty ? nil : .string(kind.group)
        details["kind"] = .string(kind.plural)
        return details
    }
}

extension APIFailure {
    init(_ error: StoreError) {
        switch error.code {
        case .conflict: self.init(409, "Conflict", "the object changed at the same moment; try again")
        case .compacted, .watchOverflow: self = .expired("too old resource version: \(error.message)")
        case .refused: self = .tooLarge(error.message)
        case .leaseNotFound, .unavailable: self = .unavailable(error.message)
        }
    }

    init(_ error: BackendError) {
        switch error.code {
        case .notFound: self.init(404, "NotFound", error.message)
        case .invalid: self.init(422, "Invalid", error.message)
        case .interrupted: self = .badRequest(error.message)
        case .unavailable: self = .unavailable(error.message)
        }
    }
}

extension Kind {
    /// `apps.meridian.dev`, as messages name a kind's objects; the core group has no name.
    var resource: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// `App.meridian.dev`.
    var qualifiedName: String { group.isEmpty ? name : "\(name).\(group)" }
}
