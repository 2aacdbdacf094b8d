// StickyPoints: which backend each hundredth of all header values belongs to, so that few move when weights change.

/// The hundred points of a choice with a sticky header.
enum StickyPoints {
    /// The index into `backends` for each point; each backend has exactly as many as its weight.
    ///
    /// In the order of their names, each backend takes of what is left the points that it likes best, by a hash of both.
    /// A backend that grows keeps what it had, and one that comes or goes moves at most twice its own share. Revisions
    /// sort by age, so that a new one that replaces the newest moves nobody else.
    static func owners(_ backends: [(name: String, weight: Int)]) -> [Int] {
        var owners = [Int](repeating: 0, count: RouteView.pointCount)
        var free = Array(owners.indices)
        for index in backends.indices.sorted(by: { (backends[$0].name, $0) < (backends[$1].name, $1) }) {
            let seed = hash(backends[index].name)
            free.sort { (liking(seed, $0), $0) > (liking(seed, $1), $1) }
            for point in free.prefix(backends[index].weight) { owners[point] = index }
            free.removeFirst(min(backends[index].weight, free.count))
        }
        return owners
    }

    private static func liking(_ seed: UInt64, _ point: Int) -> UInt64 {
        mixed(seed &+ UInt64(point) &* 0x9E37_79B9_7F4A_7C15)
    }

    private static func hash(_ name: String) -> UInt64 {
        Array(name.utf8).withUnsafeBufferPointer { RouteView.draw(of: $0) }
    }

    /// The last step of SplitMix64: every bit of the result depends on every bit of the number.
    static func mixed(_ number: UInt64) -> UInt64 {
        var mixed = number
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
