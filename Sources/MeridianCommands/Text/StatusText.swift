// StatusText: the platform on one screen: server, nodes, edges, runners, apps.

internal import MeridianMerging
internal import MeridianModel

/// The text of `meridian status`.
struct StatusText {
    /// The URL and the version.
    let server: String
    let nodes: [JSONValue]
    let apps: [JSONValue]

    /// Apps with a problem that are listed; a screen has no more lines to spare.
    private static let troubledAppsMax = 20

    var text: String {
        let ready = nodes.filter { status(of: "Ready", in: $0) == "True" }.count
        let edges = nodes.flatMap { $0["status"]?["edges"]?.array ?? [] }.compactMap(\.string)
        let runners = nodes.reduce(0) { $0 + ($1["status"]?["runners"]?.integer ?? 0) }
        var rows = [["Server", server], ["Nodes", "\(ready) of \(nodes.count) ready"]]
        rows += edges.enumerated().map { [$0.offset == 0 ? "Edge" : "", $0.element] }
        rows.append(["Runners", "\(runners)"])
        rows.append(["Apps", appCounts])
        return (TableText.lines(rows) + troubles).joined(separator: "\n") + "\n"
    }

    private var appCounts: String {
        let serving = apps.filter { status(of: "Serving", in: $0) == "True" }.count
        let failed = apps.filter { status(of: "Ready", in: $0) == "False" }.count
        let pending = apps.filter { !["True", "False"].contains(status(of: "Ready", in: $0)) }.count
        return "\(apps.count) (\(serving) serving, \(pending) under way, \(failed) failed)"
    }

    /// One line per app that is not ready, with why.
    private var troubles: [String] {
        let troubled = apps.filter { status(of: "Ready", in: $0) != "True" }
        let rows = troubled.prefix(Self.troubledAppsMax).map { app in
            let metadata = app["metadata"]
            let condition = condition("Ready", in: app)
            let words =
                condition?["message"]?.string?.split(separator: "\n").first.map(String.init) ?? "not looked at yet"
            let name = "\(metadata?["namespace"]?.string ?? "?")/\(metadata?["name"]?.string ?? "?")"
            return ["  " + name, condition?["reason"]?.string ?? "Pending", words]
        }
        let rest = troubled.count - rows.count
        return TableText.lines(Array(rows)) + (rest > 0 ? ["  and \(rest) more"] : [])
    }

    private func condition(_ type: String, in object: JSONValue) -> JSONValue? {
        object["status"]?["conditions"]?.array?.first { $0["type"]?.string == type }
    }

    private func status(of type: String, in object: JSONValue) -> String {
        condition(type, in: object)?["status"]?.string ?? "Unknown"
    }
}
