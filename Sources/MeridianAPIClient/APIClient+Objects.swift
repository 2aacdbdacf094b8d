// APIClient+Objects: reading, patching and deleting objects.
package import MeridianModel

/// Fields that a kind does not have are errors: one that is dropped with a warning is a typing error that stays.
let strictValidation = "Strict"

extension APIClient {
    /// Objects per page of a list: a page is a few megabytes.
    private static let pageObjects = 500
    /// Pages of one list: five million objects, far beyond what a store holds.
    private static let pagesMax = 10_000

    /// An object as served.
    package func get(_ key: ObjectKey) async throws(APIClientError) -> JSONValue {
        try await send("GET", try path(key))
    }

    /// An object as served; nil where there is none.
    package func getIfPresent(_ key: ObjectKey) async throws(APIClientError) -> JSONValue? {
        do {
            return try await get(key)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// All objects of a kind that the selection has, sorted by namespace and name, read page by page.
    package func list(_ kind: Kind, _ selection: Selection = Selection()) async throws(APIClientError) -> ObjectList {
        var items: [JSONValue] = []
        var version = ""
        var next: String?
        for _ in 0..<Self.pagesMax {
            let query = queryText([
                "limit": String(Self.pageObjects), "continue": next, "labelSelector": selection.labels,
                "fieldSelector": selection.fields,
            ])
            let page = try await send("GET", path(kind, namespace: selection.namespace) + query)
            guard let objects = page["items"]?.array else {
                throw APIClientError(.malformed, "\(server) answered no list; is it a Meridian API?")
            }
            items += objects
            if version.isEmpty { version = page["metadata"]?["resourceVersion"]?.string ?? "" }
            next = page["metadata"]?["continue"]?.string
            guard let token = next, !token.isEmpty else { return ObjectList(items: items, resourceVersion: version) }
        }
        throw APIClientError(.malformed, "\(server) answers a list without end")
    }

    /// Which objects of a kind are meant.
    package struct Selection: Sendable {
        /// nil: every namespace.
        package var namespace: String?
        /// A label selector: `a=b,c!=d,e in (f,g),!h`.
        package var labels: String?
        /// A field selector such as `metadata.name=x`, for Events also `involvedObject.name=x`.
        package var fields: String?

        package init(namespace: String? = nil, labels: String? = nil, fields: String? = nil) {
            self.namespace = namespace
            self.labels = labels
            self.fields = fields
        }
    }

    /// A list's objects.
    package struct ObjectList: Sendable {
        package let items: [JSONValue]
        /// A watch after it misses nothing.
        package let resourceVersion: String
    }

    /// Changes an object by a JSON Merge Patch (RFC 7396).
    package func mergePatch(
        _ key: ObjectKey,
        _ patch: JSONValue,
        isDryRun: Bool = false
    ) async throws(APIClientError) -> JSONValue {
        let query = queryText(["fieldValidation": strictValidation, "dryRun": isDryRun ? "All" : nil])
        return try await send("PATCH", try path(key) + query, .json(patch, type: "application/merge-patch+json"))
    }

    /// Creates an object, which must not exist.
    package func create(_ object: JSONValue, _ key: ObjectKey) async throws(APIClientError) -> JSONValue {
        guard let kind = Kind.all.first(where: { $0.name == key.kind }) else {
            throw APIClientError(.local, "there is no kind \"\(key.kind)\"")
        }
        let query = queryText(["fieldValidation": strictValidation])
        return try await send("POST", path(kind, namespace: key.namespace) + query, .json(object))
    }

    /// Replaces an object by another version of it; its `metadata.resourceVersion` must be the stored one.
    package func replace(_ object: JSONValue, _ key: ObjectKey) async throws(APIClientError) -> JSONValue {
        try await send("PUT", try path(key) + queryText(["fieldValidation": strictValidation]), .json(object))
    }

    /// Deletes an object; where `uid` is given only the object that has it, and another one of the name is a conflict.
    ///
    /// - Returns: whether it is gone; false: it goes when what it is for (an App's runners and routes) is gone.
    @discardableResult
    package func delete(
        _ key: ObjectKey,
        uid: String? = nil,
        isDryRun: Bool = false
    ) async throws(APIClientError) -> Bool {
        let query = queryText(["dryRun": isDryRun ? "All" : nil])
        let options = uid.map { uid -> HTTPEndpoint.Body in
            .json(["kind": "DeleteOptions", "apiVersion": "v1", "preconditions": ["uid": .string(uid)]])
        }
        let answer = try await send("DELETE", try path(key) + query, options)
        return answer["kind"]?.string == "Status"
    }
}
