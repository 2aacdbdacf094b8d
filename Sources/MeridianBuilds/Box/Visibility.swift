// Visibility: which directories of the machine a build may see.
internal import Glibc

/// The host is visible read-only, except homes and Meridian's own data; toolchains inside homes come back.
struct Visibility: Sendable, Equatable {
    /// Where people's files lie by convention (FHS 3.0 §3.8, §3.14).
    static let homes = ["/root", "/home"]

    /// Where toolchains live inside a home.
    ///
    /// Only these: beside them lie keys, histories and registry tokens.
    static let toolchainsOfHomes = [
        ".cargo/bin", ".rustup", ".swiftly", ".local/share/swiftly", "go/bin", "sdk", ".pub-cache/bin", "fvm",
        "flutter",
    ]

    /// Absolute real paths of directories that are hidden.
    let hidden: [String]
    /// Absolute real paths inside hidden directories that are visible all the same, read-only.
    let shown: [String]

    /// Decides for a machine.
    ///
    /// - Parameters:
    ///   - home: the home of the user who runs the builder.
    ///   - data: directories of Meridian's own: registry, store, keys, other builds.
    ///   - search: the directories of PATH.
    ///   - programs: real paths of the tools that the build uses, whose installations must be visible.
    init(home: String?, data: [String], search: [String], programs: [String]) {
        let hidden = Self.outermost((Self.homes + (home.map { [$0] } ?? []) + data).compactMap(realPath))
        let inHome = Self.toolchainsOfHomes.compactMap { place in home.flatMap { realPath("\($0)/\(place)") } }
        let installations = programs.compactMap { Self.installation(of: $0, hidden: hidden) }
        let dataPaths = data.compactMap(realPath)
        self.hidden = hidden
        shown = Self.outermost(
            (inHome + search.compactMap(realPath) + installations).filter { place in
                Self.isInside(place, any: hidden) && !hidden.contains(place) && !Self.isInside(place, any: dataPaths)
            }
        )
    }

    /// Whether a real path can be seen from inside the build.
    func shows(_ path: String) -> Bool { Self.isInside(path, any: shown) || !Self.isInside(path, any: hidden) }

    /// `~/dart-sdk` for `~/dart-sdk/bin/dart`; nil outside hidden directories and where that would be a whole home.
    private static func installation(of program: String, hidden: [String]) -> String? {
        guard let real = realPath(program), isInside(real, any: hidden) else { return nil }
        let parts = real.split(separator: "/")
        // /root/sdk/bin/tool has four parts; with fewer the installation would be the home itself.
        guard parts.count >= 4, parts[parts.count - 2] == "bin" else { return nil }
        let place = "/" + parts.dropLast(2).joined(separator: "/")
        let isHome = hidden.contains(place) || (parts.first == "home" && parts.count <= 4)
        return isHome ? nil : place
    }

    private static func outermost(_ paths: [String]) -> [String] {
        let unique = Set(paths)
        return unique.filter { path in !unique.contains { $0 != path && isInside(path, any: [$0]) } }.sorted()
    }

    private static func isInside(_ path: String, any directories: [String]) -> Bool {
        directories.contains { path == $0 || path.hasPrefix($0 == "/" ? "/" : $0 + "/") }
    }
}

/// The absolute path without links; nil where nothing is there.
func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
}
