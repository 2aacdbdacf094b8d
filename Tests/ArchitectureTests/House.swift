// House: the floors and the table of allowed imports, as the tests hold it.

/// Which modules each target may import.
///
/// A target imports only lower floors; siblings never import each other.
enum House {
    /// The floors from the ground up; a name stands on exactly one.
    static let floors: [[String]] = [
        ["MeridianModel", "CYAML", "COpenSSL", "CSeccomp", "CLinux", "CTLS", "CNGHTTP2", "CZygote"],
        [
            "MeridianManifests", "MeridianPlanning", "MeridianRouting", "MeridianMerging", "MeridianPorts",
            "MeridianContent",
        ],
        [
            "MeridianStore", "MeridianRegistry", "MeridianBuilds", "MeridianGit", "MeridianRunners", "MeridianEdge",
            "MeridianControl", "MeridianAPIServer", "MeridianAPIClient",
        ],
        ["MeridianNode", "MeridianControlPlane", "MeridianSimulation", "MeridianCommands"],
        ["meridian"],
    ]

    /// What ships with the toolchain and may be used anywhere.
    static let toolchain: Set<String> = ["Dispatch", "Glibc", "Synchronization"]

    /// Modules from elsewhere, by the target that may import them.
    ///
    /// Who is not named may import none.
    static let foreign: [String: Set<String>] = [
        "MeridianStore": ["GRDB", "Foundation"],
        "MeridianControl": ["Logging"],
        "MeridianAPIServer": [
            "Hummingbird", "HummingbirdCore", "HummingbirdTLS", "HTTPTypes", "Logging", "NIOCore", "NIOSSL",
            "ServiceLifecycle",
        ],
        "MeridianAPIClient": ["AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL"],
        "MeridianNode": ["Hummingbird", "HTTPTypes", "Logging", "NIOCore", "ServiceLifecycle", "UnixSignals"],
        "MeridianControlPlane": ["AsyncHTTPClient", "Logging", "ServiceLifecycle", "UnixSignals"],
        "MeridianSimulation": ["Logging"],
        "MeridianCommands": ["ArgumentParser", "Logging"],
        "meridian": ["ArgumentParser", "Logging"],
    ]

    /// Targets that import nothing but their own floor's below and the toolchain's: decisions without the world.
    static let pure: Set<String> = ["MeridianModel", "MeridianPlanning", "MeridianRouting", "MeridianMerging"]

    /// The floor of a target; nil where it is not of the house.
    static func floor(of name: String) -> Int? { floors.firstIndex { $0.contains(name) } }

    /// The words for what is wrong with `target` importing `module`; nil where it may.
    static func fault(_ target: String, importing module: String) -> String? {
        guard let own = floor(of: target) else { return "\(target) stands on no floor: add it to House.floors" }
        if toolchain.contains(module) {
            let isPure = pure.contains(target) && module != "Synchronization"
            return isPure ? "\(target) is pure and must not import \(module)" : nil
        }
        guard let other = floor(of: module) else {
            let allowed = foreign[target, default: []].contains(module)
            return allowed ? nil : "\(target) must not import \(module): it is not in House.foreign"
        }
        if other < own { return nil }
        return other == own
            ? "\(target) must not import its sibling \(module)"
            : "\(target) must not import \(module), which is above it"
    }
}
