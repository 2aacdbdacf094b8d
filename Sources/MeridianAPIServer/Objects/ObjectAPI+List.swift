// ObjectAPI+List: lists of objects, whole or page by page.
internal import MeridianModel
internal import MeridianPorts

extension ObjectAPI {
    /// Objects in one page, whatever the client asks: an answer stays in the tens of megabytes at most.
    static let pageObjectsMax: Int64 = 10_000

    /// The list that the parameters ask for, in the client's form.
    func list(
        _ representation: Representation,
        _ filter: ObjectFilter,
        _ parameters: QueryParameters
    ) async throws(APIFailure) -> JSONValue {
        let limit = try parameters.number("limit", in: 0...Int64.max) ?? 0
        let token = try parameters["continue"].map { (text) throws(APIFailure) in try ContinueToken(text) }
        guard limit > 0 || token != nil else { return try await wholeList(representation, filter) }
        let count = Int(limit == 0 ? Self.pageObjectsMax : min(limit, Self.pageObjectsMax))
        return try await page(representation, filter, count: count, after: token)
    }

    private func wholeList(
        _ representation: Representation,
        _ filter: ObjectFilter
    ) async throws(APIFailure) -> JSONValue {
        let snapshot = try await snapshot(of: representation.resource)
        let records = snapshot.records.filter { filter.matches($0.key, $0.value) }
        return listObject(representation, records, revision: snapshot.revision, next: nil, remaining: nil)
    }

    /// All stored objects of a resource at one revision.
    func snapshot(of resource: ServedResource) async throws(APIFailure) -> StoreSnapshot {
        do { return try await store.snapshot(kinds: [resource.stored]) } catch { throw APIFailure(error) }
    }

    private func page(
        _ representation: Representation,
        _ filter: ObjectFilter,
        count: Int,
        after token: ContinueToken?
    ) async throws(APIFailure) -> JSONValue {
        let stored = representation.resource.stored
        var after = token.map { ObjectKey(kind: stored, namespace: $0.namespace, name: $0.name) }
        var revision = token?.revision
        var records: [StoreRecord] = []
        var remaining = 0
        // Each turn reads the next objects of the kind, so the loop ends at the last object at the latest.
        repeat {
            let page: StorePage
            do {
                page = try await store.list(
                    kind: stored,
                    namespace: filter.namespace,
                    after: after,
                    limit: count - records.count
                )
            } catch { throw APIFailure(error) }
            revision = revision ?? page.revision
            remaining = page.remaining
            records += page.records.filter { filter.matches($0.key, $0.value) }
            guard let last = page.records.last else { break }
            after = last.key
        } while records.count < count && remaining > 0
        let revisionRead = revision ?? 0
        let next = remaining > 0 ? after.map { ContinueToken(revision: revisionRead, after: $0) } : nil
        // With a selector nobody knows how many of the rest match.
        let known = next == nil || filter.isSelective ? nil : remaining
        return listObject(representation, records, revision: revisionRead, next: next, remaining: known)
    }

    private func listObject(
        _ representation: Representation,
        _ records: [StoreRecord],
        revision: Int64,
        next: ContinueToken?,
        remaining: Int?
    ) -> JSONValue {
        var metadata = JSONObject()
        metadata["resourceVersion"] = .string(String(revision))
        metadata["continue"] = next.map { .string($0.text) }
        metadata["remainingItemCount"] = remaining.map { .integer(Int64($0)) }
        return representation.list(records.map(served), metadata)
    }
}
