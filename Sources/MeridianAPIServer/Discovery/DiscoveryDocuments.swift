// DiscoveryDocuments: which groups, resources and verbs there are, in the new form of discovery and the old one.
internal import MeridianModel

/// One resource in discovery: rows of `ServedResource`, and the reviews, which are posted and never stored.
private struct DiscoveryRow {
    let name: String
    let singular: String
    let kind: String
    let isNamespaced: Bool
    let shortNames: [String]
    let categories: [String]
    let verbs: [String]
    let subresources: [Subresource]

    init(_ resource: ServedResource) {
        name = resource.name
        singular = resource.kind.singular
        kind = resource.kind.name
        isNamespaced = resource.kind.isNamespaced
        shortNames = resource.kind.shortNames
        categories = resource.categories
        verbs = resource.verbs
        subresources = resource.subresources
    }

    init(_ review: SelfReview) {
        name = review.plural
        singular = review.kind.lowercased()
        kind = review.kind
        isNamespaced = false
        shortNames = []
        categories = []
        verbs = ["create"]
        subresources = []
    }
}

/// The documents of discovery.
enum Discovery {
    /// The groups beside the core group, in the order in which kubectl prefers them.
    ///
    /// Each has one version, v1.
    static let groups = [apiGroup, "authentication.k8s.io", "authorization.k8s.io"]

    /// The content type of aggregated discovery, as kubectl compares it.
    static let aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

    private static func rows(_ group: String) -> [DiscoveryRow] {
        ServedResource.of(group: group).map(DiscoveryRow.init)
            + SelfReview.allCases.filter { $0.group == group }.map(DiscoveryRow.init)
    }

    /// `/api` (`isCore`) or `/apis` as APIGroupDiscoveryList.
    static func aggregated(isCore: Bool) -> JSONValue {
        [
            "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": [:],
            "items": .array((isCore ? [""] : groups).map(aggregatedGroup)),
        ]
    }

    private static func aggregatedGroup(_ group: String) -> JSONValue {
        let resources = rows(group).map { aggregatedRow($0, group) }
        var metadata = JSONObject()
        metadata["name"] = group.isEmpty ? nil : .string(group)
        return [
            "metadata": .object(metadata),
            "versions": [["version": "v1", "freshness": "Current", "resources": .array(resources)]],
        ]
    }

    private static func aggregatedRow(_ row: DiscoveryRow, _ group: String) -> JSONValue {
        var result = JSONObject()
        result["resource"] = .string(row.name)
        result["responseKind"] = responseKind(group, row.kind)
        result["scope"] = row.isNamespaced ? "Namespaced" : "Cluster"
        result["singularResource"] = .string(row.singular)
        result["verbs"] = texts(row.verbs)
        result["shortNames"] = row.shortNames.isEmpty ? nil : texts(row.shortNames)
        result["categories"] = row.categories.isEmpty ? nil : texts(row.categories)
        let subresources = row.subresources.map { sub -> JSONValue in
            let (group, _, kind) = answerKind(of: sub, group, row.kind)
            return [
                "subresource": .string(sub.rawValue), "responseKind": responseKind(group, kind),
                "verbs": texts(sub.verbs),
            ]
        }
        result["subresources"] = subresources.isEmpty ? nil : .array(subresources)
        return .object(result)
    }

    /// `/api` as APIVersions.
    static var coreVersions: JSONValue {
        ["kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []]
    }

    /// `/apis` as APIGroupList.
    static var groupList: JSONValue {
        ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups.map { .object(groupEntry($0)) })]
    }

    /// `/apis/GROUP` as APIGroup; nil where there is no such group.
    static func group(_ name: String) -> JSONValue? {
        guard groups.contains(name) else { return nil }
        var entry = JSONObject()
        entry["kind"] = "APIGroup"
        entry["apiVersion"] = "v1"
        for member in groupEntry(name).members { entry[member.key] = member.value }
        return .object(entry)
    }

    private static func groupEntry(_ name: String) -> JSONObject {
        let version: JSONValue = ["groupVersion": .string("\(name)/v1"), "version": "v1"]
        var entry = JSONObject()
        entry["name"] = .string(name)
        entry["versions"] = [version]
        entry["preferredVersion"] = version
        return entry
    }

    /// `/api/v1` or `/apis/GROUP/v1` as APIResourceList; nil where there is no such group.
    static func resources(_ group: String) -> JSONValue? {
        guard group.isEmpty || groups.contains(group) else { return nil }
        let entries = rows(group).flatMap { row in
            [entry(row)] + row.subresources.map { subresourceEntry($0, row, group) }
        }
        return [
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": .string(group.isEmpty ? "v1" : "\(group)/v1"), "resources": .array(entries),
        ]
    }

    private static func entry(_ row: DiscoveryRow) -> JSONValue {
        var entry = JSONObject()
        entry["name"] = .string(row.name)
        entry["singularName"] = .string(row.singular)
        entry["namespaced"] = .bool(row.isNamespaced)
        entry["kind"] = .string(row.kind)
        entry["verbs"] = texts(row.verbs)
        entry["shortNames"] = row.shortNames.isEmpty ? nil : texts(row.shortNames)
        entry["categories"] = row.categories.isEmpty ? nil : texts(row.categories)
        return .object(entry)
    }

    private static func subresourceEntry(_ sub: Subresource, _ row: DiscoveryRow, _ group: String) -> JSONValue {
        let (answerGroup, version, kind) = answerKind(of: sub, group, row.kind)
        var entry = JSONObject()
        entry["name"] = .string("\(row.name)/\(sub.rawValue)")
        entry["singularName"] = ""
        entry["namespaced"] = .bool(row.isNamespaced)
        entry["group"] = answerGroup == group ? nil : .string(answerGroup)
        entry["version"] = answerGroup == group ? nil : .string(version)
        entry["kind"] = .string(kind)
        entry["verbs"] = texts(sub.verbs)
        return .object(entry)
    }

    /// What a subresource answers with: its own kind for `scale`, else the object.
    private static func answerKind(
        of sub: Subresource,
        _ group: String,
        _ kind: String
    ) -> (group: String, version: String, kind: String) {
        sub == .scale ? ("autoscaling", "v1", "Scale") : (group, "v1", kind)
    }

    private static func responseKind(_ group: String, _ kind: String) -> JSONValue {
        ["group": .string(group), "version": "v1", "kind": .string(kind)]
    }

    private static func texts(_ words: [String]) -> JSONValue { .array(words.map { .string($0) }) }
}
