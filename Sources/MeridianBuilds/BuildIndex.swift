// BuildIndex: remembers which source and settings gave which bundle, so that nothing is built twice.
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

/// One file per successful build, named by the digest of everything that the result depends on.
struct BuildIndex {
    /// An entry is some hundred bytes.
    private static let entryBytesMax = 64 << 10

    let directory: String

    /// The name of a build: its source, the settings that change the result, and the toolchain.
    ///
    /// Time and memory limits and the port check are left out: they decide whether a build ends, not how.
    static func key(source: Digest, settings: BuildSettings, preset: BuildPreset, toolchain: String) -> Digest {
        var relevant = settings
        let defaults = BuildSettings()
        relevant.timeout = defaults.timeout
        relevant.memory = defaults.memory
        relevant.portCheck = defaults.portCheck
        let value: JSONValue = [
            "preset": .string(preset.rawValue), "settings": relevant.encoded(explicit: true),
            "source": .string(source.description), "toolchain": .string(toolchain),
        ]
        return Digest.of(value.canonicalUTF8)
    }

    /// The earlier outcome whose bundle is still whole in the registry; nil where there is none.
    ///
    /// An unreadable entry counts as none: the build then runs again and replaces it.
    func outcome(for key: Digest, in registry: any RegistryPort) async -> BuildOutcome? {
        guard let bytes = try? DurableFile.read(path(key), atMost: Self.entryBytesMax),
            let json = try? JSONValue(parsing: bytes), let outcome = Self.decode(json),
            let manifest = try? await registry.get(outcome.bundle), let parsed = try? JSONValue(parsing: manifest)
        else { return nil }
        var context = DecodingContext()
        guard let bundle = BundleManifest.decode(parsed, at: FieldPath(), &context) else { return nil }
        for blob in bundle.blobs {
            guard await registry.contains(blob) else { return nil }
        }
        return outcome
    }

    /// Remembers a success.
    func store(_ outcome: BuildOutcome, for key: Digest) throws(ContentError) {
        try DurableFile.createDirectory(directory)
        try DurableFile.write(Self.encode(outcome).utf8(), to: path(key))
    }

    private func path(_ key: Digest) -> String { "\(directory)/\(key.hex).json" }

    private static func encode(_ outcome: BuildOutcome) -> JSONValue {
        [
            "bundle": .string(outcome.bundle.description), "executable": .string(outcome.executable),
            "arguments": .array(outcome.arguments.map { .string($0) }), "preset": .string(outcome.preset.rawValue),
        ]
    }

    private static func decode(_ json: JSONValue) -> BuildOutcome? {
        guard let bundle = json["bundle"]?.string.flatMap({ Digest($0) }), let executable = json["executable"]?.string,
            let arguments = json["arguments"]?.array?.map(\.string), !arguments.contains(nil),
            let preset = json["preset"]?.string.flatMap({ BuildPreset(rawValue: $0) })
        else { return nil }
        return BuildOutcome(
            bundle: bundle,
            executable: executable,
            arguments: arguments.compactMap { $0 },
            preset: preset,
            cached: true,
            stages: []
        )
    }
}
