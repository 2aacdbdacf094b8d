// BuildFixture: a builder with a registry and directories of its own, and the sources that tests give it.
internal import Glibc
internal import MeridianBuilds
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

/// A builder over fresh directories; removed when the last reference goes.
final class BuildFixture: Sendable {
    let directory: String
    let registry: DirectoryOfBlobs
    let builder: SandboxedBuilder
    private let sources = Mutex(0)

    /// A fixture whose builder looks for tools on `search`; nil: on the PATH of the test.
    init(search: String? = nil) throws {
        directory = try temporaryDirectory()
        registry = try DirectoryOfBlobs("\(directory)/registry")
        builder = SandboxedBuilder(
            BuilderConfiguration(
                directory: "\(directory)/builds",
                logs: "\(directory)/logs",
                hidden: [directory],
                zygote: zygoteProgram ?? "/nonexistent/meridian-zygote",
                search: search
            ),
            registry: registry
        )
    }

    deinit { try? DurableFile.remove(directory) }

    /// Packs files (path → content) into the registry.
    func source(_ files: [String: String]) async throws -> Digest {
        try await source(files.mapValues { Array($0.utf8) })
    }

    /// Packs files (path → bytes) into the registry.
    func source(_ files: [String: [UInt8]]) async throws -> Digest {
        let items = try files.map { TarItem(path: try TarPath($0.key), content: .bytes($0.value)) }
        let archive = nextArchive()
        _ = try TarWriter.pack(items, to: archive)
        return try await registry.put(file: archive)
    }

    /// Packs a directory, as the CLI does.
    func source(directory: String) async throws -> Digest {
        let archive = nextArchive()
        _ = try SourcePacking.pack(directory, to: archive)
        return try await registry.put(file: archive)
    }

    /// Builds and collects what happened.
    func build(
        _ source: Digest,
        revision: String = "default/app-00001",
        useCache: Bool = true,
        _ change: (inout BuildSettings) -> Void = { _ in }
    ) async throws(BuildError) -> (outcome: BuildOutcome, output: [String]) {
        var settings = BuildSettings()
        change(&settings)
        let seen = Seen()
        let request = BuildRequest(revision: revision, source: source, settings: settings, useCache: useCache)
        let outcome = try await builder.build(request) { seen.add($0) }
        return (outcome, seen.output)
    }

    /// Builds something that must fail, and answers why it did.
    func failure(of source: Digest, _ change: (inout BuildSettings) -> Void = { _ in }) async -> BuildError? {
        do throws(BuildError) {
            _ = try await build(source, change)
            return nil
        } catch {
            return error
        }
    }

    /// Unpacks a bundle; the answer is the directory of its files.
    func unpack(_ bundle: Digest) async throws -> String {
        var context = DecodingContext()
        let json = try JSONValue(parsing: try await registry.get(bundle))
        guard let manifest = BundleManifest.decode(json, at: FieldPath(), &context), let layer = manifest.layers.first
        else {
            throw ContentError(.corrupted, "no bundle manifest")
        }
        let place = "\(directory)/unpacked-\(bundle.short)"
        try DurableFile.createDirectory(place)
        _ = try TarUnpacking.unpack(try await registry.file(layer.digest), into: place, limits: .bundle)
        return place
    }

    private func nextArchive() -> String {
        let number = sources.withLock { count in
            count += 1
            return count
        }
        return "\(directory)/source-\(number).tar"
    }
}

/// The progress of a build.
final class Seen: Sendable {
    private let events = Mutex<[BuildProgress]>([])

    /// Notes an event.
    func add(_ event: BuildProgress) { events.withLock { $0.append(event) } }

    /// Everything so far.
    var all: [BuildProgress] { events.withLock { $0 } }

    /// The lines of output so far.
    var output: [String] {
        all.compactMap { event in
            if case .output(_, let line) = event { line } else { nil }
        }
    }
}

/// The program whose `box` runs the builds: named by MERIDIAN_ZYGOTE, else beside the test binary.
let zygoteProgram: String? = {
    if let named = getenv("MERIDIAN_ZYGOTE") { return String(cString: named) }
    guard let real = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(real) }
    // The test binary lies directly in the build directory, or the test helper is elsewhere and the bundle's path is argument 1.
    let places = [String(cString: real)] + CommandLine.arguments
    let candidates = places.map { place in
        place.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/meridian-zygote"
    }
    return candidates.first { access($0, X_OK) == 0 }
}()

/// Whether builds can run here; where not, the reason is printed once.
let canBuild: Bool = {
    let reason: String? =
        if geteuid() != 0 { "the build sandbox needs root" } else if zygoteProgram == nil {
            "meridian-zygote is not beside the tests; build it or set MERIDIAN_ZYGOTE"
        } else { nil }
    if let reason { print("skipped: real builds: \(reason)") }
    return reason == nil
}()

/// Whether a program is on PATH; where not, that is printed.
func has(_ program: String) -> Bool {
    let search = getenv("PATH").map { String(cString: $0) } ?? ""
    let isThere = search.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    if !isThere { print("skipped: \(program) is not on PATH") }
    return isThere
}

/// The `manifests` directory of the repository; the test sources may be reached through links.
let manifestsDirectory: String? = {
    guard let real = realpath(#filePath, nil) else { return nil }
    defer { free(real) }
    return String(cString: real).split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        .joined(separator: "/") + "/manifests"
}()

/// A new empty directory.
func temporaryDirectory() throws -> String {
    var template = Array("/tmp/meridian-builds-tests-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw ContentError(.unavailable, "cannot make a temporary directory") }
    return String(cString: made)
}
