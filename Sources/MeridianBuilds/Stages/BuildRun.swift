// BuildRun: one build from the packed source to the registered bundle, stage by stage.
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

/// Runs the stages of one request.
struct BuildRun {
    let request: BuildRequest
    let configuration: BuilderConfiguration
    let registry: any RegistryPort
    let report: @Sendable (BuildProgress) -> Void
    /// When the whole build must be done.
    let deadline: ContinuousClock.Instant

    /// What the source stage found out.
    private struct Prepared {
        let tree: SourceTree
        let recipe: Recipe
        let box: Box
        let key: Digest
        let programs: Set<SourceTree.Found>
    }

    /// What is ready to be registered.
    struct Checked {
        let bundle: BundleFiles
        let configuration: BundleConfiguration
    }

    /// source → dependencies → build → check → register.
    func run() async throws(BuildError) -> BuildOutcome {
        let work = "\(configuration.directory)/work"
        let memory = MemoryGroup.make(name: groupName, limit: request.settings.memory.bytes)
        defer { memory.remove() }
        let archive: String
        do throws(RegistryError) {
            archive = try await registry.file(request.source)
        } catch {
            throw BuildError(registry: error, stage: .source)
        }
        let workspace = Workspace(directory: "\(work)/\(request.source.short)")
        defer { workspace.remove() }
        return try await run(in: work, archive: archive, memory: memory)
    }

    private func run(in work: String, archive: String, memory: MemoryGroup) async throws(BuildError) -> BuildOutcome {
        var times: [StageDuration] = []
        let prepared = try await stage(.source, &times) { () async throws(BuildError) in
            let workspace = try Workspace.make(in: work, for: request.source, archive: archive)
            return try await prepare(workspace, memory)
        }
        if request.useCache, var cached = await index.outcome(for: prepared.key, in: registry) {
            report(.output(.source, "built before from the same source and settings: bundle \(cached.bundle.short)"))
            cached.stages = times
            return cached
        }
        try await stage(.dependencies, &times) { () async throws(BuildError) in
            try await execute(prepared.recipe.dependencies, .dependencies, prepared.box, network: true)
        }
        try await stage(.build, &times) { () async throws(BuildError) in
            try await execute(prepared.recipe.build, .build, prepared.box, network: request.settings.network)
        }
        let checked = try await stage(.check, &times) { () async throws(BuildError) in try check(prepared) }
        let bundle = try await stage(.register, &times) { () async throws(BuildError) in
            try await BundleRegistration(registry: registry, staging: prepared.box.workspace.staging).register(checked)
        }
        let outcome = BuildOutcome(
            bundle: bundle,
            executable: checked.configuration.executable,
            arguments: checked.configuration.arguments,
            preset: prepared.recipe.preset,
            cached: false,
            stages: times
        )
        try content(.register) { () throws(ContentError) in try index.store(outcome, for: prepared.key) }
        return outcome
    }

    private var index: BuildIndex { BuildIndex(directory: "\(configuration.directory)/index") }

    /// One group per process and source; builds of one process come one after another.
    private var groupName: String { "meridian-build-\(getpid())-\(request.source.short)" }

    /// The namespace of the revision, which has caches of its own: what a build leaves in a cache, the next build
    /// trusts.
    private var namespace: String {
        let name = request.revision.split(separator: "/").first.map(String.init) ?? ""
        let isPlain = !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        return isPlain ? name : "default"
    }

    private func prepare(_ workspace: Workspace, _ memory: MemoryGroup) async throws(BuildError) -> Prepared {
        let tree = try files(.source) { () throws(FileError) in try SourceTree(path: workspace.source) }
        let toolchains = Toolchains(search: configuration.search)
        let preset = try BuildPreset.detect(request.settings, in: tree)
        let cache = "\(configuration.directory)/caches/\(namespace)/\(preset.rawValue)"
        let recipe = try Recipe.make(preset, request.settings, tree: tree, toolchains: toolchains, cache: cache)
        if recipe.cache != nil { try Workspace.makeCache(cache) }
        let visibility = Visibility(
            home: configuration.home,
            data: configuration.hidden + [configuration.directory],
            search: toolchains.directories,
            programs: recipe.tools.map(\.path)
        )
        let box = Box(
            zygote: configuration.zygote,
            workspace: workspace,
            visibility: visibility,
            caches: recipe.cache == nil ? [] : [cache],
            search: configuration.search,
            realHome: configuration.home,
            environment: recipe.environment.merging(request.settings.env) { _, own in own },
            memory: memory,
            memoryLimit: request.settings.memory,
            timeout: request.settings.timeout,
            deadline: deadline
        )
        report(.output(.source, "preset \(recipe.preset.rawValue)"))
        if !memory.isEnforced {
            report(.output(.source, "warning: this machine has no memory cgroup, so spec.build.memory is not enforced"))
        }
        let versions = LastLines(count: Box.errorLinesMax)
        for command in recipe.versions {
            try await box.run(command, .source, network: false) { versions.append($0) }
        }
        let toolchain = versions.lines.joined(separator: "\n")
        if let first = versions.lines.first { report(.output(.source, first)) }
        let key = BuildIndex.key(
            source: request.source,
            settings: request.settings,
            preset: preset,
            toolchain: toolchain
        )
        let programs = try files(.source) { () throws(FileError) in Set(try tree.executables()) }
        return Prepared(tree: tree, recipe: recipe, box: box, key: key, programs: programs)
    }

    private func execute(
        _ commands: [Recipe.Command],
        _ stage: BuildStage,
        _ box: Box,
        network: Bool
    ) async throws(BuildError) {
        for command in commands {
            report(.output(stage, "$ \(command.text)"))
            try await box.run(command, stage, network: network) { report(.output(stage, $0)) }
        }
    }

    /// Sets aside the executable, the assets and the libraries that runners lack.
    private func check(_ prepared: Prepared) throws(BuildError) -> Checked {
        let tree = prepared.tree
        let program = ProgramCheck(tree: tree, recipe: prepared.recipe, before: prepared.programs)
        let output = try program.locate()
        let file = try program.open(output)
        let parts = output.split(separator: "/").map(String.init)
        let name = parts.last ?? output
        var bundle = BundleFiles(directory: prepared.box.workspace.staging)
        let origin = ([tree.path] + parts.dropLast()).joined(separator: "/")
        try bundle.add(file, at: name, origin: origin, isExecutable: true)
        for asset in request.settings.assets {
            let plain = asset.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
            try bundle.addAsset(asset, as: plain, from: tree)
        }
        if let companions = prepared.recipe.companions {
            let entries = try files(.check) { () throws(FileError) in try tree.entries(of: companions.directory) }
            for entry in entries where entry.name.hasSuffix(companions.suffix) {
                try bundle.addAsset("\(companions.directory)/\(entry.name)", as: entry.name, from: tree)
            }
        }
        let collector = LibraryCollector(
            tree: tree,
            visibility: prepared.box.visibility,
            machineDirectories: loaderDirectories() + prepared.recipe.tools.compactMap(\.libraryDirectory)
        )
        let libraries = try collector.collect(into: &bundle)
        for library in libraries { report(.output(.check, "collected \(library)")) }
        return Checked(
            bundle: bundle,
            configuration: BundleConfiguration(
                executable: name,
                arguments: [],
                preset: prepared.recipe.preset,
                libraries: libraries
            )
        )
    }

    /// Runs one stage between its reports; its duration is kept when it ends well.
    private func stage<Value>(
        _ stage: BuildStage,
        _ times: inout [StageDuration],
        _ body: () async throws(BuildError) -> Value
    ) async throws(BuildError) -> Value {
        if Task.isCancelled { throw .cancelled(stage) }
        report(.stageStarted(stage))
        let start = ContinuousClock.now
        let value = try await body()
        let duration = start.duration(to: .now)
        times.append(StageDuration(name: stage.rawValue, duration: duration))
        report(.stageEnded(stage, duration))
        return value
    }
}

extension Tool {
    /// Where a Swift toolchain keeps its runtime: `usr/lib/swift/linux` beside `usr/bin/swift`.
    fileprivate var libraryDirectory: String? {
        guard name == "swift", let real = realPath(path) else { return nil }
        let installation = real.split(separator: "/").dropLast(2).joined(separator: "/")
        return "/\(installation)/lib/swift/linux"
    }
}
