// ListeningVerdict: what the sockets of a program say about its being reachable, in words that lead on.

/// Whether a program listens as it must, from the sockets it has open.
enum ListeningVerdict: Sendable, Equatable {
    /// On `$PORT` at 0.0.0.0 or [::].
    case reachable
    /// On `$PORT`, but only at a loopback address.
    case localhostOnly(String)
    /// On other ports only.
    case elsewhere([String])
    case nowhere

    init(_ sockets: [ListeningSocket], port: UInt16) {
        let right = sockets.filter { $0.port == port }
        if right.contains(where: { $0.scope == .any }) {
            self = .reachable
        } else if let socket = right.first {
            self = .localhostOnly(socket.description)
        } else if sockets.isEmpty {
            self = .nowhere
        } else {
            self = .elsewhere(sockets.map(\.description))
        }
    }

    /// A word for conditions, as `PortCheckReport.reason` lists them.
    var reason: String {
        switch self {
        case .reachable: "Listening"
        case .localhostOnly: "ListensOnLocalhostOnly"
        case .elsewhere: "ListensElsewhere"
        case .nowhere: "ListensNowhere"
        }
    }

    /// What was seen and what to do.
    func message(port: UInt16, timeout: String) -> String {
        switch self {
        case .reachable:
            "the program listens on port \(port)"
        case .localhostOnly(let address):
            "the program listens on \(address) only, where nobody outside it can connect. "
                + "Listen on 0.0.0.0 (all addresses) instead: 0.0.0.0:$PORT"
        case .elsewhere(let addresses):
            "the program listens on \(addresses.joined(separator: ", ")), but PORT was \(port). "
                + "Read the port from the environment variable PORT and listen on 0.0.0.0:$PORT"
        case .nowhere:
            "the program did not listen on any port within \(timeout). Listen on 0.0.0.0:$PORT, "
                + "before slow work at start-up, or raise build.portCheck.timeout"
        }
    }
}
