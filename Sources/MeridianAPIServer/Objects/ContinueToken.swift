// ContinueToken: where the next page of a list begins.
internal import MeridianModel

/// The place after the last object of a page, opaque to clients.
///
/// Written `v1.REVISION.NAMESPACE.NAME`: names are DNS labels, so the dots divide.
struct ContinueToken: Equatable {
    /// The store's revision at the first page; every page tells it as its resourceVersion, so that a watch that begins
    /// there misses nothing that changed between the pages.
    let revision: Int64
    let namespace: String
    let name: String

    init(revision: Int64, after key: ObjectKey) {
        self.revision = revision
        namespace = key.namespace
        name = key.name
    }

    init(_ text: String) throws(APIFailure) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == "v1", let revision = Int64(parts[1]), revision >= 0,
            parts[2].isEmpty || isDNSLabel(parts[2]), isDNSLabel(parts[3])
        else { throw .badRequest("continue: not a token of this server; list again from the beginning") }
        self.revision = revision
        namespace = parts[2]
        name = parts[3]
    }

    var text: String { "v1.\(revision).\(namespace).\(name)" }
}
