// ObjectWriter: the API's write path for the control plane itself: the same checks and merges, without a connection.
package import MeridianModel
package import MeridianPorts

/// Writes objects as a client of the API does.
package struct ObjectWriter: ObjectWriting {
    private let objects: ObjectAPI
    private let auditLog: any AuditPort

    /// `audit` is told of every write that is no dry run.
    package init(
        store: any StorePort,
        sealing: any SealingPort,
        audit: any AuditPort = NoAudit(),
        clock: any ClockPort,
        random: any RandomPort
    ) {
        auditLog = audit
        objects = ObjectAPI(store: store, sealing: sealing, clock: clock, random: random)
    }

    package func apply(
        _ object: JSONValue,
        manager: String,
        force: Bool,
        isDryRun: Bool
    ) async throws(ObjectWriteError) -> WrittenObject {
        let (kind, key) = try identity(of: object)
        do throws(APIFailure) {
            var options = WriteOptions()
            (options.givenManager, options.manager) = (manager, manager)
            options.isForced = force
            options.isDryRun = isDryRun
            let outcome =
                isDryRun
                ? try await objects.apply(object, kind, key, options)
                : try await audited("patch", kind, key, as: manager) { (objects) throws(APIFailure) in
                    try await objects.apply(object, kind, key, options)
                }
            let metadata = outcome.object["metadata"]
            return WrittenObject(
                uid: metadata?["uid"]?.string ?? "",
                generation: Int(metadata?["generation"]?.integer ?? 0),
                hasChanged: outcome.change != .unchanged
            )
        } catch {
            throw ObjectWriteError(error)
        }
    }

    package func delete(_ key: ObjectKey, uid: String) async throws(ObjectWriteError) {
        guard let kind = Kind.named(key.kind), kind.isDeclared else {
            throw ObjectWriteError(.invalid, "\(key) is of no kind that is deleted here")
        }
        do throws(APIFailure) {
            var options = DeleteOptions()
            options.uid = uid
            _ = try await audited("delete", kind, key, as: "gitops") { (objects) throws(APIFailure) in
                try await objects.delete(key, kind, options)
            }
        } catch {
            guard error.code != 404 else { return }
            throw ObjectWriteError(error)
        }
    }

    /// Does a write and records it, refused or not, under the name of the part of the platform that does it.
    private func audited<Outcome>(
        _ verb: String,
        _ kind: Kind,
        _ key: ObjectKey,
        as part: String,
        _ write: (ObjectAPI) async throws(APIFailure) -> Outcome
    ) async throws(APIFailure) -> Outcome {
        var objects = objects
        let trail = AuditTrail()
        trail.admit(.platform(part))
        objects.trail = trail
        let received = objects.clock.now
        let target = AccessRequest.ResourceTarget(
            group: kind.group,
            resource: kind.plural,
            namespace: key.namespace,
            name: key.name
        )
        func record(_ code: Int) {
            let request = AccessRequest(verb, .resource(target))
            let now = objects.clock.now
            let id = objects.random.uuid()
            auditLog.record(
                AuditEntry(id: id, request: request, trail: trail, code: code, received: received, answered: now).json
            )
        }
        do throws(APIFailure) {
            let outcome = try await write(objects)
            record(200)
            return outcome
        } catch {
            record(error.code)
            throw error
        }
    }

    private func identity(of object: JSONValue) throws(ObjectWriteError) -> (Kind, ObjectKey) {
        let metadata = object["metadata"]
        guard let kind = object["kind"]?.string.flatMap(Kind.named), kind.isDeclared,
            let name = metadata?["name"]?.string
        else { throw ObjectWriteError(.invalid, "the object has no kind or name that is known here") }
        let namespace = kind.isNamespaced ? metadata?["namespace"]?.string ?? "default" : ""
        return (kind, ObjectKey(kind: kind.name, namespace: namespace, name: name))
    }
}

extension ObjectWriteError {
    fileprivate init(_ failure: APIFailure) {
        switch failure.code {
        case 409: self.init(.conflict, failure.message)
        case 400..<500: self.init(.invalid, failure.message)
        default: self.init(.unavailable, failure.message)
        }
    }
}
