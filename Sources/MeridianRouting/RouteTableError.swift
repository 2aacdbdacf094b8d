// RouteTableError: why a route table is refused, naming the host and the next step.

/// A route table that no edge may serve by; the last good table stays in force.
package struct RouteTableError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, for tests and conditions.
    package enum Code: String, Sendable {
        case badHost = "BadHost"
        case duplicateHost = "DuplicateHost"
        case badWeight = "BadWeight"
        case weightsDoNotSum = "WeightsDoNotSum"
        case badBackend = "BadBackend"
        case badAddress = "BadAddress"
        case badCookie = "BadCookie"
        case badPolicy = "BadPolicy"
        case badMatch = "BadMatch"
        case tooLarge = "TooLarge"
    }

    package let code: Code
    /// The host whose route is at fault; empty where the whole table is.
    package let host: String
    /// What is wrong and what to do, without the host.
    package let message: String

    package init(code: Code, host: String, message: String) {
        self.code = code
        self.host = host
        self.message = message
    }

    package var description: String {
        host.isEmpty ? "route table: \(message)" : "route table: host \"\(host)\": \(message)"
    }
}
