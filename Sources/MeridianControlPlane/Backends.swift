// Backends: what the API server asks of the loop, the registry, the builder and the nodes.
import Glibc
import MeridianAPIClient
import MeridianBuilds
import MeridianContent
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts

/// Previews: the loop's own planner over the loop's own world.
struct PlanBackend: PlanPort {
    let reconciler: Reconciler

    func plan(overlaying objects: [JSONValue]) async throws(BackendError) -> JSONValue {
        let world: World
        do throws(StoreError) {
            world = try await reconciler.world()
        } catch {
            throw BackendError(.unavailable, "the store cannot be read: \(error)")
        }
        guard !objects.isEmpty else { return predict(world).document }
        return predict(world.overlaid(with: objects.compactMap(declared))).without(predict(world)).document
    }

    /// The object in a checked document.
    private func declared(_ value: JSONValue) -> (any APIObject)? {
        var context = DecodingContext()
        return value["kind"]?.string.flatMap(Kind.named)?.read(value, &context)
    }
}

/// Uploads into the registry through a file beside it.
struct BlobBackend: BlobUploadPort {
    let registry: any RegistryPort
    /// A directory on the registry's file system.
    let scratch: String

    func contains(_ digest: Digest) async -> Bool { await registry.contains(digest) }

    func receive(_ digest: Digest, _ chunks: AsyncThrowingStream<[UInt8], any Error>) async throws(BackendError) {
        let path = "\(scratch)/upload-\(digest.hex)-\(UInt64.random(in: .min ... .max))"
        defer { unlink(path) }
        try await write(chunks, to: path)
        do {
            let actual = try Digest.of(file: path)
            guard actual == digest else {
                throw BackendError(.invalid, "the bytes have the digest \(actual), not \(digest). Upload them again")
            }
            _ = try await registry.put(file: path)
        } catch let error as BackendError {
            throw error
        } catch {
            throw BackendError(.unavailable, "the upload cannot be stored: \(error)")
        }
    }

    private func write(_ chunks: AsyncThrowingStream<[UInt8], any Error>, to path: String) async throws(BackendError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw BackendError(.unavailable, "\(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        do {
            for try await chunk in chunks {
                var rest = chunk[...]
                while !rest.isEmpty {
                    let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                    guard written > 0 else {
                        throw BackendError(.unavailable, "\(path): \(String(cString: strerror(errno)))")
                    }
                    rest = rest.dropFirst(written)
                }
            }
        } catch let error as BackendError {
            throw error
        } catch {
            throw BackendError(.interrupted, "the upload ended early: \(error)")
        }
    }
}

/// The summary that `meridian status` and scripts read.
struct StatusBackend: StatusPort {
    let reconciler: Reconciler
    let version: String
    let startedAt: Timestamp

    func status() async throws(BackendError) -> JSONValue {
        let world: World
        do throws(StoreError) {
            world = try await reconciler.world()
        } catch {
            throw BackendError(.unavailable, "the store cannot be read: \(error)")
        }
        let serving = world.apps.count { $0.object.status.conditions.holds("Serving") }
        let nodes: [JSONValue] = world.nodeViews.sorted { $0.key < $1.key }.map { name, view in
            [
                "name": .string(name), "answers": .bool(view.report != nil),
                "edges": .array((view.report?.edges ?? []).map { .string($0) }),
                "runners": .integer(Int64(view.report?.runners.count ?? 0)),
                "assignment": .integer(Int64(view.report?.assignment ?? 0)),
            ]
        }
        return [
            "version": .string(version), "startedAt": .string(startedAt.description),
            "apps": ["total": .integer(Int64(world.apps.count)), "serving": .integer(Int64(serving))],
            "revisions": .integer(Int64(world.revisions.count)), "nodes": .array(nodes),
        ]
    }
}
