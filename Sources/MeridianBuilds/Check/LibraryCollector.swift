// LibraryCollector: finds the shared libraries of a bundle that the runner's root does not offer, and adds them.
internal import Glibc
internal import MeridianModel
internal import MeridianPorts

/// Follows `DT_NEEDED` from every ELF file of a bundle (ld.so(8): RPATH, RUNPATH, the cache's directories, defaults).
struct LibraryCollector {
    /// Where collected libraries go; runners point LD_LIBRARY_PATH there.
    static let directory = "lib"
    /// The loader's own directories; runners see them read-only, so what is there stays there.
    static let runnerDirectories = [
        "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
    ]
    /// More libraries than any program has; keeps the collection finite.
    static let libraryCountMax = 512

    let tree: SourceTree
    let visibility: Visibility
    /// Directories that the loader searches on this machine beyond its defaults, and those of the toolchain.
    let machineDirectories: [String]

    /// Adds the missing libraries to `bundle`.
    ///
    /// - Returns: the bundle paths of what was added, sorted.
    /// - Throws: `LibraryMissing` naming the library and who needs it; `WrongArchitecture`.
    func collect(into bundle: inout BundleFiles) throws(BuildError) -> [String] {
        var added: [String] = []
        var waiting: [String] = []
        for (path, file) in bundle.files.sorted(by: { $0.key < $1.key }) {
            guard let elf = file.elf else { continue }
            try ProgramCheck.requireArchitecture(elf, path: path)
            try requireLoader(elf, path: path)
            waiting.append(path)
        }
        while let path = waiting.popLast() {
            guard let file = bundle.files[path], let elf = file.elf else { continue }
            for name in elf.needed where try !isProvided(name, to: elf, at: path, in: bundle) {
                let place = "\(Self.directory)/\(name)"
                let found = try find(name, for: elf, at: path, origin: file.origin)
                try bundle.add(found.file, at: place, origin: found.origin, isExecutable: false)
                added.append(place)
                waiting.append(place)
                guard added.count <= Self.libraryCountMax else {
                    throw BuildError(
                        reason: "SourceInvalid",
                        stage: .check,
                        message:
                            "the program needs more than \(Self.libraryCountMax) shared libraries. Link it statically"
                    )
                }
            }
        }
        return added.sorted()
    }

    /// Whether the loader will find the library in the runner without our doing.
    private func isProvided(
        _ name: String,
        to elf: ELFFile,
        at path: String,
        in bundle: BundleFiles
    ) throws(BuildError) -> Bool {
        guard !name.contains("/"), !name.isEmpty, name != ".", name != ".." else {
            throw BuildError(
                reason: "LibraryMissing",
                stage: .check,
                message: "\(path) needs the library \"\(name)\" by a path, which does not exist in a runner. "
                    + "Link with a soname without slashes"
            )
        }
        if bundle.files["\(Self.directory)/\(name)"] != nil { return true }
        let parent = path.split(separator: "/").dropLast().map(String.init)
        for search in elf.searchPaths {
            guard let rest = Self.originRelative(search) else { continue }
            if let place = Self.normalized(parent + rest.split(separator: "/").map(String.init) + [name]),
                bundle.files[place] != nil
            {
                return true
            }
        }
        return Self.runnerDirectories.contains { access("\($0)/\(name)", R_OK) == 0 && staysInRunner("\($0)/\(name)") }
    }

    /// Whether a library of the system is reachable in a runner: its links must not pass through `/etc/alternatives`.
    private func staysInRunner(_ path: String) -> Bool {
        guard let real = realPath(path) else { return false }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink(path, &buffer, buffer.count - 1)
        let target = length > 0 ? String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
        let isInSystem = { (place: String) in place.hasPrefix("/usr/") || place.hasPrefix("/lib") }
        return isInSystem(real) && (!target.hasPrefix("/") || isInSystem(target))
    }

    private func find(
        _ name: String,
        for elf: ELFFile,
        at path: String,
        origin: String
    ) throws(BuildError) -> (file: TreeFile, origin: String) {
        let searched = elf.searchPaths.map { search in
            Self.originRelative(search).map { "\(origin)/\($0)" } ?? search
        }
        var otherMachine: ELFMachine?
        // Last the defaults: what is there but does not stay in a runner is copied.
        for directory in searched + machineDirectories + Self.runnerDirectories where directory.hasPrefix("/") {
            guard let file = open("\(directory)/\(name)"), let library = try? file.elf() else { continue }
            guard library.machine == .x86_64, library.is64BitLittleEndian else {
                otherMachine = library.machine
                continue
            }
            if library.kind == .dynamic { return (file, directory) }
        }
        if let otherMachine {
            throw BuildError(
                reason: "WrongArchitecture",
                stage: .check,
                message: "\(path) needs \(name), which is here only for \(otherMachine). Install its x86_64 build"
            )
        }
        throw BuildError(
            reason: "LibraryMissing",
            stage: .check,
            message: "\(path) needs the shared library \(name), which is not on the machine that builds. "
                + "Install it there, link it statically, or put it into the source as lib/\(name) and add lib to "
                + "spec.build.assets"
        )
    }

    /// Opens a candidate: inside the source without leaving it, else where a build may look.
    private func open(_ path: String) -> TreeFile? {
        if path.hasPrefix(tree.path + "/") {
            let relative = Self.normalized(path.dropFirst(tree.path.count + 1).split(separator: "/").map(String.init))
            return relative.flatMap { try? tree.open($0) }
        }
        guard let real = realPath(path), visibility.shows(real) else { return nil }
        return try? TreeFile(host: real)
    }

    /// Refuses a program whose dynamic loader is not in the runner's root.
    private func requireLoader(_ elf: ELFFile, path: String) throws(BuildError) {
        guard let loader = elf.interpreter else { return }
        let isOffered = loader.hasPrefix("/lib") || loader.hasPrefix("/usr/lib")
        guard isOffered, access(loader, X_OK) == 0 else {
            throw BuildError(
                reason: "LibraryMissing",
                stage: .check,
                message: "\(path) needs the loader \(loader), which runners do not have. "
                    + "Link the program statically, or build it against glibc"
            )
        }
    }

    /// The part of a search path after `$ORIGIN/`; nil where the path does not begin there.
    private static func originRelative(_ search: String) -> String? {
        for word in ["$ORIGIN", "${ORIGIN}"] where search == word || search.hasPrefix(word + "/") {
            return String(search.dropFirst(word.count))
        }
        return nil
    }

    /// The path without `.` and `..`; nil where it climbs above its start.
    private static func normalized(_ components: [String]) -> String? {
        var kept: [String] = []
        for component in components where component != "." && !component.isEmpty {
            guard component == ".." else {
                kept.append(component)
                continue
            }
            guard kept.popLast() != nil else { return nil }
        }
        return kept.isEmpty ? nil : kept.joined(separator: "/")
    }
}

/// The directories that the loader of this machine searches beyond its defaults (ld.so.conf, one level of conf.d).
func loaderDirectories() -> [String] {
    guard let tree = try? SourceTree(path: "/etc") else { return [] }
    let included = ((try? tree.entries(of: "ld.so.conf.d")) ?? []).map { "ld.so.conf.d/\($0.name)" }
    return (["ld.so.conf"] + included).flatMap { file in
        (tree.text(of: file) ?? "").split(separator: "\n").map(String.init).filter { $0.hasPrefix("/") }
    }
}
