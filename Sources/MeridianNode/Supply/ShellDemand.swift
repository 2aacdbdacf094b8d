// ShellDemand: how many empty sandboxes of each shape a node keeps ready, by the starts of late.
internal import MeridianModel
package import MeridianPorts

/// The starts of the last minutes, and what they say of those to come.
package struct ShellDemand: Sendable {
    /// Empty sandboxes of a node at most, however much is asked of it: each is a process, a network and a cgroup that
    /// nobody uses yet, and more than these cannot be started at once anyway.
    package static let shellsMax = 16
    /// A burst is remembered for this long: people and crawlers come back within minutes.
    package static let span: Duration = .seconds(300)
    /// Starts closer together than this are one burst, which nothing can be refilled within.
    static let burstSpan: Duration = .seconds(1)

    private struct Burst {
        var at: ContinuousClock.Instant
        var starts: Int
    }

    /// The bursts within `span` by shape, oldest first: at most one per `burstSpan`.
    private var bursts: [SandboxShape: [Burst]] = [:]

    package init() {}

    /// Notes that a runner of the shape is started.
    package mutating func noteStart(_ shape: SandboxShape, at now: ContinuousClock.Instant) {
        var known = bursts[shape, default: []].filter { now - $0.at < Self.span }
        if let last = known.indices.last, now - known[last].at < Self.burstSpan {
            known[last].starts += 1
        } else {
            known.append(Burst(at: now, starts: 1))
        }
        bursts[shape] = known
    }

    /// How many empty sandboxes of each of these shapes there should be; together at most `shellsMax`.
    ///
    /// One of each, and as many more as the largest burst of late took. Where that is too many, the largest counts give
    /// way first, and then the shapes that were not started for the longest.
    package func wanted(
        for shapes: Set<SandboxShape>,
        at now: ContinuousClock.Instant
    ) -> [SandboxShape: Int] {
        let recent = shapes.sorted { first, second in
            let (left, right) = (bursts[first]?.last?.at, bursts[second]?.last?.at)
            guard left == right else { return right.map { right in left.map { $0 > right } ?? false } ?? true }
            return first.order.lexicographicallyPrecedes(second.order)
        }
        let chosen = recent.prefix(Self.shellsMax)
        var counts = Dictionary(uniqueKeysWithValues: chosen.map { ($0, min(Self.shellsMax, 1 + peak($0, at: now))) })
        var total = counts.values.reduce(0, +)
        while total > Self.shellsMax, let largest = chosen.max(by: { counts[$0, default: 0] < counts[$1, default: 0] })
        {
            counts[largest, default: 0] -= 1
            total -= 1
        }
        return counts
    }

    /// When the next burst is forgotten; nil: there is none.
    package func changesAt(after now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        bursts.values.flatMap { $0.map { $0.at + Self.span } }.filter { $0 > now }.min()
    }

    private func peak(_ shape: SandboxShape, at now: ContinuousClock.Instant) -> Int {
        bursts[shape, default: []].reduce(0) { now - $1.at < Self.span ? max($0, $1.starts) : $0 }
    }
}

extension SandboxShape {
    /// Decides between shapes that are alike in all that matters, the same way each time.
    fileprivate var order: [Int64] {
        [memory.bytes, cpu.millicores, Int64(pids), temporary.bytes, filesWritable ? 1 : 0]
    }
}
