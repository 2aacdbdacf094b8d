// AnswerForm: the form in which a client wants objects, from its Accept header (RFC 9110 §12.5.1).
internal import MeridianModel

/// How objects are answered.
enum AnswerForm: Hashable {
    /// As they are.
    case whole
    /// As rows with the cells that `kubectl get` prints.
    case table(Included)
    /// Their metadata alone.
    case metadata

    /// What a row of a table carries besides its cells (the query's `includeObject`).
    enum Included: String, Hashable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    /// The first form of the header that is served; 406 where none is.
    ///
    /// kubectl names Table and plain JSON, in the order of its preference; weights are not looked at, as in Kubernetes.
    init(accept: String?, _ parameters: QueryParameters) throws(APIFailure) {
        for range in (accept ?? "*/*").split(separator: ",").prefix(Self.rangesMax) {
            let media = MediaType(range)
            guard ["application/json", "application/*", "*/*"].contains(media.name) else { continue }
            guard let shape = media.parameters["as"] else {
                self = .whole
                return
            }
            guard media.parameters["g"] == "meta.k8s.io", media.parameters["v"] == "v1" else { continue }
            switch shape {
            case "Table":
                self = .table(try Self.included(parameters))
                return
            case "PartialObjectMetadata", "PartialObjectMetadataList":
                self = .metadata
                return
            default: continue
            }
        }
        throw .notAcceptable(accept ?? "")
    }

    /// More media ranges than any client sends.
    static let rangesMax = 32

    private static func included(_ parameters: QueryParameters) throws(APIFailure) -> Included {
        guard let text = parameters["includeObject"] else { return .metadata }
        guard let included = Included(rawValue: text) else {
            throw .badRequest("includeObject: \"\(text.prefix(80))\" is not one of None, Metadata, Object")
        }
        return included
    }
}

/// One media range with its parameters, all in lower case but for the parameters' values.
struct MediaType {
    let name: String
    let parameters: [String: String]

    init(_ text: Substring) {
        let parts = text.split(separator: ";")
        name = String(parts.first?.trimmed ?? "").lowercased()
        var parameters: [String: String] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { continue }
            parameters[String(pair[0].trimmed).lowercased()] = String(pair[1].trimmed)
        }
        self.parameters = parameters
    }
}
