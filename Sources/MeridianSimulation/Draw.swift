// Draw: the one source of chance in a simulation, so that a seed is the whole story.
import MeridianPorts
import Synchronization

/// Pseudo-random numbers from a seed (SplitMix64, Steele, Lea and Flood 2014): equal seeds give equal runs.
struct Draw: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound - 1`; the slight bias of the remainder does not matter here.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    /// True in `percent` of 100 calls.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// One of the elements; nil where there is none.
    mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[below(elements.count)]
    }
}

/// The random port of a simulated control plane.
final class SeededRandom: RandomPort {
    private let draw: Mutex<Draw>

    init(seed: UInt64) { draw = Mutex(Draw(seed: seed)) }

    func next() -> UInt64 { draw.withLock { $0.next() } }
}
