// LinkTable: whether the symbolic links of a tree stay inside it, decided without a file system.

/// The shape of a tree: which paths are links and where they point.
///
/// Reading the targets word by word is not enough (`d -> a/b`, `x -> d/../..`): links are followed as the kernel would.
struct LinkTable {
    private var targets: [[String]: String] = [:]

    /// The kernel's own bound on links in one look-up (path_resolution(7)).
    private static let hopsMax = 40
    /// PATH_MAX; a longer target cannot be followed.
    static let targetBytesMax = 4095

    /// Notes a link.
    mutating func add(_ path: TarPath, target: String) { targets[path.components] = target }

    /// Checks every link, in order of path.
    ///
    /// - Throws: `.refused`, naming the first link that leads out of the tree or nowhere in circles.
    func check() throws(ContentError) {
        for path in targets.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let fault = fault(of: path) else { continue }
            let name = shown(path.joined(separator: "/"))
            throw ContentError(.refused, "\(name): the symbolic link to \(shown(targets[path] ?? "")) \(fault)")
        }
    }

    private func fault(of link: [String]) -> String? {
        var pending = Array(link.reversed())
        var place: [String] = []
        var hops = 0
        while let component = pending.popLast() {
            if component == "." { continue }
            if component == ".." {
                guard place.popLast() != nil else { return "leads out of the tree" }
                continue
            }
            guard let target = targets[place + [component]] else {
                place.append(component)
                continue
            }
            hops += 1
            if hops > Self.hopsMax { return "leads in circles" }
            if target.hasPrefix("/") { return "is absolute; only links inside the tree are kept" }
            pending.append(contentsOf: target.split(separator: "/").reversed().map(String.init))
        }
        return nil
    }
}
