// RegistryKeeper: removes from the registry what no revision needs any more.
import Logging
import MeridianModel
import MeridianPorts
import MeridianRegistry

/// Collects the registry's garbage now and then.
struct RegistryKeeper: Sendable {
    let registry: DirectoryRegistry
    let store: any StorePort
    let clock: any ClockPort
    let logger: Logger

    /// Garbage is kept for a day in any case, so looking more often than every hour finds nothing sooner.
    private static let interval = Duration.seconds(3600)

    /// Looks every hour until cancelled; a look that fails deletes nothing and is repeated.
    func run() async throws {
        while true {
            try await clock.sleep(until: clock.now + Self.interval)
            do {
                let removed = try await registry.collectGarbage(roots: try await roots(), now: clock.now)
                logger.info("registry swept", metadata: ["removed": "\(removed.count)"])
            } catch {
                logger.warning("the registry was not swept", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// What revisions and apps refer to: bundles, and sources that may be built again.
    ///
    /// - Throws: where an object cannot be read, since what it refers to is then unknown.
    private func roots() async throws -> Set<Digest> {
        let snapshot = try await store.snapshot(kinds: [AppSpec.kind, RevisionSpec.kind])
        var roots: Set<Digest> = []
        for record in snapshot.records {
            var context = DecodingContext()
            switch Kind.named(record.key.kind)?.read(record.value, &context) {
            case let app as App:
                let source = app.spec.source
                roots.formUnion([source.digest, source.executable, app.status.sourceDigest].compactMap(\.self))
            case let revision as Revision:
                let template = revision.spec.template
                roots.formUnion([template.source, template.executable, revision.status.bundle].compactMap(\.self))
            default: throw ControlPlaneError("\(record.key) cannot be read; nothing is removed")
            }
        }
        return roots
    }
}
