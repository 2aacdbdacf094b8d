// LoopbackGuard: keeps the API, which needs no token on loopback, from pages in a browser.
internal import HTTPTypes

/// Whether a host name means this machine: `localhost`, 127.0.0.0/8 or ::1, without a port or brackets.
package func isLoopbackHost(_ host: String) -> Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.first == "127" && parts.allSatisfy { UInt8($0) != nil }
}

/// Refuses what a browser could be made to send by a foreign page.
///
/// A page whose name was made to resolve to 127.0.0.1 (DNS rebinding) sends its own name as Host; a page elsewhere
/// sends its own as Origin.
func checkLoopback(_ head: HTTPRequest) throws(APIFailure) {
    guard let authority = head.authority, isLoopbackHost(hostPart(authority)) else {
        throw .forbidden(
            "the Host header must name this machine (127.0.0.1, [::1] or localhost),"
                + " got \"\((head.authority ?? "").prefix(80))\""
        )
    }
    guard let origin = head.headerFields[.origin] else { return }
    let parts = origin.split(separator: "/", omittingEmptySubsequences: true)
    guard parts.count == 2, isLoopbackHost(hostPart(String(parts[1]))) else {
        throw .forbidden("requests from pages of other machines are refused; Origin is \"\(origin.prefix(80))\"")
    }
}

/// The host of `host`, `host:port` or `[v6]:port`.
private func hostPart(_ authority: String) -> String {
    if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
    return String(authority.prefix { $0 != ":" }).lowercased()
}
