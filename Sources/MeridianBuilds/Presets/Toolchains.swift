// Toolchains: finds the compilers and tools that presets use on the PATH of the machine that builds.
internal import CLinux
internal import Glibc
internal import MeridianModel
internal import MeridianPorts

/// A program found on PATH.
struct Tool: Sendable, Hashable {
    let name: String
    /// Absolute, links not followed: what rustup and swiftly install looks at its own name.
    let path: String
}

/// The tools of this machine.
struct Toolchains: Sendable {
    /// The absolute directories of PATH, in order.
    let directories: [String]

    /// - Parameter search: the value of PATH.
    init(search: String) {
        directories = search.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    }

    /// The first executable file of one of `names`; earlier names are preferred.
    func find(_ names: String...) -> Tool? {
        for name in names {
            for directory in directories {
                let path = "\(directory)/\(name)"
                if access(path, X_OK) == 0, isFile(path) { return Tool(name: name, path: path) }
            }
        }
        return nil
    }

    /// The tool, or `ToolchainMissing` with what to install.
    func require(_ names: String..., hint: String) throws(BuildError) -> Tool {
        for name in names {
            if let tool = find(name) { return tool }
        }
        throw BuildError(
            reason: "ToolchainMissing",
            stage: .source,
            message: "\(list(names, word: "or")) is not on PATH of the machine that builds; \(hint), "
                + "or build elsewhere and deploy the executable with spec.build.preset: prebuilt"
        )
    }

    private func isFile(_ path: String) -> Bool {
        var metadata = stat()
        return stat(path, &metadata) == 0 && metadata.st_mode & S_IFMT == S_IFREG
    }
}
