// AppliedObject: what applying one object did.

internal import MeridianManifests
internal import MeridianMerging
internal import MeridianModel

/// One object after it was applied.
struct AppliedObject: Sendable {
    /// What became of the object.
    enum Outcome: String, Sendable {
        case created
        case configured
        case unchanged
    }

    let key: ObjectKey
    let outcome: Outcome
    /// The object as the server has it now, or would have it after a dry run.
    let object: JSONValue

    /// `app/hello created`.
    var line: String { "\(objectReference(object)) \(outcome.rawValue)" }

    /// The generation that a wait is for.
    var generation: Int { Int(object["metadata"]?["generation"]?.integer ?? 0) }
}

extension ControlPlaneAPI {
    /// Applies `outgoing` and tells what that did, or with `isDryRun` would do.
    func applied(_ outgoing: OutgoingObject, isDryRun: Bool = false) async throws -> AppliedObject {
        let live = try await object(outgoing.key)
        let after = try await apply(outgoing.json, outgoing.key, isDryRun: isDryRun)
        let outcome: AppliedObject.Outcome =
            if let live {
                isSame(live, after, outgoing.declared.kind, isDryRun: isDryRun) ? .unchanged : .configured
            } else {
                .created
            }
        return AppliedObject(key: outgoing.key, outcome: outcome, object: after)
    }

    /// Whether nothing was written: the version is the same, and after a dry run, which writes nothing, the content.
    private func isSame(_ live: JSONValue, _ after: JSONValue, _ kind: Kind, isDryRun: Bool) -> Bool {
        guard isDryRun else {
            return live["metadata"]?["resourceVersion"] == after["metadata"]?["resourceVersion"]
        }
        return normalized(live, kind: kind) == normalized(after, kind: kind)
    }
}
