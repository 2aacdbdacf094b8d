// ManifestFollower: `up -f`: applies manifests to the platform that just started, and again when they change.
import Glibc
import MeridianCommands

/// Applies files once, or whenever one of them changes.
struct ManifestFollower: Sendable {
    let files: [String]
    let isFollowing: Bool

    /// How often files are looked at: soon enough after a save, a few stat calls a second.
    private static let lookInterval = Duration.seconds(1)
    /// Files that are looked at in a tree; beyond it changes go unseen until one of these changes.
    private static let filesMax = 10_000

    /// Applies and, where asked to, follows until cancelled.
    ///
    /// A failed apply is printed and the platform goes on. `data` is the data directory of the platform, which says how
    /// it is reached.
    func run(data: String) async {
        guard !files.isEmpty else { return }
        let arguments = ["apply", "--data", data] + files.flatMap { ["-f", $0] }
        var seen = isFollowing ? stamps() : [:]
        _ = await CommandProgram.run(Meridian.self, arguments: arguments)
        while isFollowing, !Task.isCancelled {
            // Cancellation ends the wait early, and the loop with it.
            try? await Task.sleep(for: Self.lookInterval)
            let now = stamps()
            guard now != seen, !Task.isCancelled else { continue }
            seen = now
            _ = await CommandProgram.run(Meridian.self, arguments: arguments)
        }
    }

    /// The time of change and size of every file below the given paths, by path.
    private func stamps() -> [String: Stamp] {
        var found: [String: Stamp] = [:]
        var pending = files
        while let path = pending.popLast(), found.count < Self.filesMax {
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                found[path] = Stamp(
                    seconds: Int(status.st_mtim.tv_sec),
                    nanoseconds: Int(status.st_mtim.tv_nsec),
                    size: Int(status.st_size)
                )
                continue
            }
            pending += names(in: path).filter { !$0.hasPrefix(".") }.map { "\(path)/\($0)" }
        }
        return found
    }

    private func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
            )
        }
        return names
    }

    private struct Stamp: Equatable {
        let seconds: Int
        let nanoseconds: Int
        let size: Int
    }
}
