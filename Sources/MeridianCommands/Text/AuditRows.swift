// AuditRows: entries of the audit log as the rows of a table.

internal import MeridianModel

/// A header and one row for each entry.
struct AuditRows {
    private(set) var rows = [["TIME", "WHO", "VERB", "WHAT", "CODE", "REVISION"]]
    /// Entries that are missing between those that are there.
    private(set) var lost: Int64 = 0

    init(_ entries: [JSONValue]) {
        for entry in entries {
            if let count = entry["annotations"]?["meridian.dev/lost"]?.string {
                lost += Int64(count) ?? 0
                rows.append([entry["stageTimestamp"]?.string ?? "?", "-", "-", "(\(count) entries lost)", "-", "-"])
            } else {
                rows.append(Self.row(entry))
            }
        }
    }

    private static func row(_ entry: JSONValue) -> [String] {
        [
            entry["stageTimestamp"]?.string ?? "?", entry["user"]?["username"]?.string ?? "?",
            entry["verb"]?.string ?? "?", what(entry), entry["responseStatus"]?["code"]?.integer.map { "\($0)" } ?? "?",
            // Without one nothing was changed: refused, or so already.
            entry["annotations"]?["meridian.dev/revision"]?.string ?? "-",
        ]
    }

    /// `shop/app/hello`, `app/hello scale`, or the path of what is no object.
    private static func what(_ entry: JSONValue) -> String {
        guard let object = entry["objectRef"], let plural = object["resource"]?.string else {
            return entry["requestURI"]?.string ?? "?"
        }
        let kind = Kind.named(plural)?.singular ?? plural
        let name = object["name"]?.string.map { "\(kind)/\($0)" } ?? plural
        let place = object["namespace"]?.string.map { "\($0)/" } ?? ""
        return place + name + (object["subresource"]?.string.map { " \($0)" } ?? "")
    }
}
