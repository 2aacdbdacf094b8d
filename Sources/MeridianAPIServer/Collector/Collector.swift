// Collector: deletes what has lost its owners or its namespace, and finishes deletions that waited for others.
internal import Logging
internal import MeridianModel
internal import MeridianPorts

/// Follows the store and does what its index finds to do.
struct Collector: Sendable {
    /// Attempts after a failure of the store come this far apart.
    private static let retryInterval = Duration.seconds(1)

    let store: any StorePort
    let clock: any ClockPort
    let logger: Logger

    /// Runs until its task is cancelled.
    func run() async {
        // Each turn follows the store until it falls behind or fails, and waits before the next.
        while !Task.isCancelled {
            do {
                try await follow()
            } catch {
                logger.warning("the collector starts over", metadata: ["error": "\(error)"])
            }
            do { try await clock.sleep(until: clock.now + Self.retryInterval) } catch { return }
        }
    }

    private func follow() async throws {
        let snapshot = try await store.snapshot(kinds: nil)
        var index = CollectorIndex(snapshot.records)
        try await work(&index)
        for try await event in store.watch(after: snapshot.revision, kinds: nil) {
            index.see(event.key, event.record?.value)
            try await work(&index)
        }
    }

    /// Does what there is to do; what it leads to comes back as events.
    private func work(_ index: inout CollectorIndex) async throws {
        for task in index.takeTasks() {
            try await perform(task)
            logger.debug("collected", metadata: ["task": "\(task)"])
        }
    }

    private func perform(_ task: CollectorIndex.Task) async throws(StoreError) {
        switch task {
        case .delete(let key): try await change(key, deleted)
        case .removeFinalizer(let name, let key):
            try await change(key) { metadata in
                let rest = (metadata["finalizers"]?.array ?? []).filter { $0.string != name }
                metadata["finalizers"] = rest.isEmpty ? nil : .array(rest)
            }
        case .release(let key, let owner):
            try await change(key) { metadata in
                let rest = (metadata["ownerReferences"]?.array ?? []).filter { $0["uid"]?.string != owner }
                metadata["ownerReferences"] = rest.isEmpty ? nil : .array(rest)
            }
        }
    }

    private func deleted(_ metadata: inout JSONObject) {
        guard metadata["deletionTimestamp"] == nil else { return }
        let now = Timestamp(milliseconds: clock.now.milliseconds / 1000 * 1000)
        metadata["deletionTimestamp"] = .string(now.description)
    }

    /// Changes an object's metadata; it goes where it is being deleted and no finalizer is left.
    ///
    /// Where it changed at the same moment nothing is done: that change comes as an event and is looked at.
    private func change(_ key: ObjectKey, _ change: (inout JSONObject) -> Void) async throws(StoreError) {
        guard let record = try await store.get(key), case .object(var object) = record.value else { return }
        var metadata = object["metadata"]?.object ?? JSONObject()
        change(&metadata)
        object["metadata"] = .object(metadata)
        let isLast = metadata["deletionTimestamp"] != nil && metadata["finalizers"] == nil
        let expectation = StoreExpectation.modRevision(record.modRevision)
        do {
            try await store.commit([isLast ? .delete(key, expectation) : .put(key, .object(object), expectation)])
        } catch {
            guard error.code == .conflict else { throw error }
        }
    }
}
