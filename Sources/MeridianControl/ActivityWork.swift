// ActivityWork: the long work beside the loop: a build, a port check or a look at a repository, from start to result.
package import MeridianModel
package import MeridianPlanning
package import MeridianPorts

/// A build, a port check or a look at a repository, to be done beside the loop.
package struct ActivityWork: Sendable {
    /// What is to be done.
    package enum Kind: Sendable {
        case build(BuildStart)
        case check(PortCheckStart)
        case look(GitLook)
    }

    /// The revision that is built or checked, or the object whose repository is looked at.
    package let subject: ObjectKey
    package let kind: Kind

    /// The uid of the object that the work is for: another one of its name gets nothing of it.
    package var uid: String {
        switch kind {
        case .build(let start): start.uid
        case .check(let start): start.uid
        case .look(let look): look.uid
        }
    }
}

/// What came of long work.
package enum WorkResult: Sendable {
    case revision(ActivityResult)
    case look(GitLookResult)
}

extension Executor {
    /// Does the work to its end; every failure is a result.
    ///
    /// `progress`: told of the stages of a build.
    package func perform(
        _ work: ActivityWork,
        progress: @escaping @Sendable (ObjectKey, BuildProgress) -> Void
    ) async -> WorkResult {
        switch work.kind {
        case .build(let start): .revision(await build(start, progress: progress))
        case .check(let start): .revision(await check(start))
        case .look(let look): .look(await self.look(look))
        }
    }

    private func build(
        _ start: BuildStart,
        progress: @escaping @Sendable (ObjectKey, BuildProgress) -> Void
    ) async -> ActivityResult {
        do throws(BuildError) {
            if let bundle = start.template.executable { return .built(try await existing(bundle)) }
            guard let source = start.template.source else {
                throw BuildError(
                    reason: "SourceMissing",
                    stage: .source,
                    message: "\(start.revision): there is no source"
                )
            }
            let request = BuildRequest(
                revision: start.revision.path,
                source: source,
                settings: start.template.build,
                useCache: start.template.rebuild == 0
            )
            let outcome = try await ports.builder.build(request) { progress(start.revision, $0) }
            return .built(
                BuiltBundle(
                    bundle: outcome.bundle,
                    executable: outcome.executable,
                    arguments: outcome.arguments,
                    preset: outcome.preset,
                    cached: outcome.cached,
                    stages: outcome.stages
                )
            )
        } catch {
            let output = error.output.isEmpty ? "" : "\nlast output:\n" + error.output.joined(separator: "\n")
            return .buildFailed(
                BuildFailure(
                    reason: error.reason,
                    message: "stage \(error.stage.rawValue): \(error.message)\(output)",
                    isTransient: error.isTransient
                )
            )
        }
    }

    /// The bundle that an app names by its digest.
    private func existing(_ digest: Digest) async throws(BuildError) -> BuiltBundle {
        do {
            let manifest = try BundleManifest.read(try await ports.registry.get(digest))
            let configuration = try BundleConfiguration.read(try await ports.registry.get(manifest.config.digest))
            return BuiltBundle(
                bundle: digest,
                executable: configuration.executable,
                arguments: configuration.arguments,
                preset: configuration.preset,
                cached: true
            )
        } catch let error as RegistryError {
            throw BuildError(
                reason: "BundleUnreadable",
                stage: .source,
                message: error.message,
                isTransient: error.code == .unavailable
            )
        } catch {
            throw BuildError(
                reason: "BundleUnreadable",
                stage: .source,
                message: "\(digest) is no bundle: \(error). Name a digest that a build registered"
            )
        }
    }

    private func check(_ start: PortCheckStart) async -> ActivityResult {
        do {
            guard let node = ports.nodes[start.node] else {
                return .checkUnavailable("node \(start.node) is not known here")
            }
            let template = try open(start.template)
            return .checked(
                try await node.checkPort(start.revision.path, template, timeout: start.timeout)
            )
        } catch {
            return .checkUnavailable("\(error)")
        }
    }
}

/// A document that is not of the form it must have.
private struct UnreadableDocument: Error, CustomStringConvertible {
    let description: String
}

extension Shaped {
    /// The value in JSON bytes.
    fileprivate static func read(_ bytes: [UInt8]) throws -> Self {
        var context = DecodingContext()
        guard let value = Self.decode(try JSONValue(parsing: bytes), at: FieldPath(), &context) else {
            throw UnreadableDocument(description: context.problems.first?.message ?? "it is not a \(shape.name)")
        }
        return value
    }
}
