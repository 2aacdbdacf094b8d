// EdgeError: why an edge cannot start or refuses a route table.

/// A failure of the edge as a whole; failures of one request are answers.
package struct EdgeError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case badAddress = "BadAddress"
        case badConfiguration = "BadConfiguration"
        case cannotListen = "CannotListen"
        case badRouteTable = "BadRouteTable"
        case notRunning = "NotRunning"
        case badCertificate = "BadCertificate"
        case noResources = "NoResources"
    }

    package let code: Code
    /// What failed, on what, and what to do.
    package let message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "edge: \(message)" }
}
