// ObjectAPI: objects as clients see them, over the store.
internal import MeridianModel
internal import MeridianPorts

/// Reads, checks and writes objects: every method is one request, and what it throws is the answer.
struct ObjectAPI: Sendable {
    let store: any StorePort
    let sealing: any SealingPort
    let clock: any ClockPort
    let random: any RandomPort
    /// Where changes are noted: each request has its own.
    var trail: AuditTrail?

    /// An object as served: with its resourceVersion, and secrets shown as fingerprints.
    func served(_ record: StoreRecord) -> JSONValue { served(record.value, revision: record.modRevision) }

    /// As `served`, with another revision than the record's own: that of a deletion; nil for a dry run of a creation.
    func served(_ value: JSONValue, revision: Int64?) -> JSONValue {
        guard case .object(var object) = value else { return value }
        var metadata = object["metadata"]?.object ?? JSONObject()
        metadata["resourceVersion"] = revision.map { .string(String($0)) }
        object["metadata"] = .object(metadata)
        guard object["kind"]?.string == Secret.kind, case .object(let sealed)? = object["sealed"] else {
            return .object(object)
        }
        let masked = sealed.members.map { member in
            JSONObject.Member(key: member.key, value: .string(sealing.fingerprint(member.value.string ?? "")))
        }
        object["sealed"] = .object(JSONObject(masked))
        return .object(object)
    }

    /// The stored record, or 404.
    func record(_ key: ObjectKey, _ kind: Kind) async throws(APIFailure) -> StoreRecord {
        guard let record = try await storedRecord(key) else { throw .notFound(key, kind) }
        return record
    }

    /// The stored record; nil where there is none.
    func storedRecord(_ key: ObjectKey) async throws(APIFailure) -> StoreRecord? {
        do { return try await store.get(key) } catch { throw APIFailure(error) }
    }
}
