// APIClientError: why a request to the API, or to a node, did not do what was asked.
internal import MeridianModel

/// A failure with the words that the server sent, or those for a server that sent none.
package struct APIClientError: Error, Sendable, CustomStringConvertible {
    /// The stable code.
    package enum Code: String, Sendable {
        /// Nobody listens there, or the connection was lost: whether the server acted is unknown.
        case unreachable
        /// No answer within the request's deadline: whether the server acted is unknown.
        case timedOut
        case notFound
        /// The object is another version than the one the request names, or exists already.
        case conflict
        /// The request or the object breaks rules; `causes` has one entry per field.
        case invalid
        /// The history that a watch asks for is gone: list again.
        case gone
        /// The server refuses this for another reason.
        case refused
        /// The server cannot do it now.
        case unavailable
        /// The answer is not what this API answers: something else listens there.
        case malformed
        /// The caller's own side: a file that cannot be read, a URL that is none.
        case local
    }

    /// What is wrong with one field.
    package struct Cause: Sendable, Equatable {
        /// The field's path, such as `spec.scaling.min`.
        package let field: String
        package let message: String
    }

    package let code: Code
    /// What failed, on what, and the next step.
    package let message: String
    /// The HTTP status code; nil where there was no answer.
    package let httpStatus: Int?
    /// The Status object's one word; nil where there was none.
    package let reason: String?
    package let causes: [Cause]

    package init(
        _ code: Code,
        _ message: String,
        httpStatus: Int? = nil,
        reason: String? = nil,
        causes: [Cause] = []
    ) {
        self.code = code
        self.message = message
        self.httpStatus = httpStatus
        self.reason = reason
        self.causes = causes
    }

    /// The error that a Status object (Kubernetes `metav1.Status`) tells; other bodies are quoted.
    init(status: JSONValue?, httpStatus: Int, server: String) {
        let causes = (status?["details"]?["causes"]?.array ?? []).map {
            Cause(field: $0["field"]?.string ?? "", message: $0["message"]?.string ?? "")
        }
        let isStatus = status?["kind"]?.string == "Status"
        var words = status?["message"]?.string ?? "\(server) answered \(httpStatus) without saying why"
        if httpStatus == 401 {
            words +=
                ": \(server) wants a valid token; give one with --token-file or $MERIDIAN_TOKEN"
        }
        self.init(
            isStatus || httpStatus == 404 ? Self.code(httpStatus) : .malformed,
            words,
            httpStatus: httpStatus,
            reason: status?["reason"]?.string,
            causes: causes
        )
    }

    private static func code(_ httpStatus: Int) -> Code {
        switch httpStatus {
        case 404: .notFound
        case 409: .conflict
        case 400, 413, 415, 422: .invalid
        case 410: .gone
        case 500...: .unavailable
        default: .refused
        }
    }

    package var description: String { message }
}
