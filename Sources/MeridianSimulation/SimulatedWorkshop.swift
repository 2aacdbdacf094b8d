// SimulatedWorkshop: builder, registry and sealing of a simulation: what they answer follows from what they are asked.
import MeridianModel
import MeridianPorts

/// The sources that simulated apps are made of.
enum SimulatedSource {
    /// Sources from here on fail in the build.
    static let buildFails = 90
    /// Sources from here on fail in the port check.
    static let checkFails = 95

    /// The digest of a source by its number.
    static func digest(_ number: Int) -> Digest {
        let digits = String(number)
        return Digest(hex: String(repeating: "a", count: 64 - digits.utf8.count) + digits) ?? .zero
    }

    /// The number of a source by its digest.
    static func number(of digest: Digest) -> Int { Int(digest.hex.drop { $0 == "a" }) ?? 0 }

    /// The bundle that a source is built into.
    static func bundle(of source: Digest) -> Digest {
        Digest(hex: source.hex.replacing("a", with: "b")) ?? .zero
    }

    /// The source that a bundle was built from.
    static func source(of bundle: Digest) -> Digest {
        Digest(hex: bundle.hex.replacing("b", with: "a")) ?? .zero
    }
}

/// A builder whose results follow from the source alone.
struct SimulatedBuilder: BuilderPort {
    func build(
        _ request: BuildRequest,
        progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws(BuildError) -> BuildOutcome {
        let number = SimulatedSource.number(of: request.source)
        guard !(SimulatedSource.buildFails..<SimulatedSource.checkFails).contains(number) else {
            throw BuildError(reason: "CommandFailed", stage: .build, message: "source \(number) does not compile")
        }
        return BuildOutcome(
            bundle: SimulatedSource.bundle(of: request.source),
            executable: "server",
            arguments: [],
            preset: .c,
            cached: false,
            stages: []
        )
    }
}

/// An empty registry: simulated apps are built from sources.
struct SimulatedRegistry: RegistryPort {
    func put(_ bytes: [UInt8]) async throws(RegistryError) -> Digest { throw refusal }
    func put(file path: String) async throws(RegistryError) -> Digest { throw refusal }
    func contains(_ digest: Digest) async -> Bool { false }
    func get(_ digest: Digest) async throws(RegistryError) -> [UInt8] { throw refusal }
    func file(_ digest: Digest) async throws(RegistryError) -> String { throw refusal }
    func list() async throws(RegistryError) -> [Digest] { [] }
    func delete(_ digests: [Digest]) async throws(RegistryError) {}

    private var refusal: RegistryError { RegistryError(.refused, "the simulated registry holds nothing") }
}

/// Sealing that only marks values.
struct SimulatedSealing: SealingPort {
    func seal(_ plain: String, for owner: String) throws(SealingError) -> String { "sealed:\(owner):\(plain)" }

    func open(_ sealed: String, for owner: String) throws(SealingError) -> String {
        let prefix = "sealed:\(owner):"
        guard sealed.hasPrefix(prefix) else { throw SealingError(.corrupted, "a value of \(owner) does not open") }
        return String(sealed.dropFirst(prefix.count))
    }

    func fingerprint(_ sealed: String) -> String { "sealed:\(sealed.utf8.count)" }
}
