// EdgeRefusal: why an edge has refused a client by the rules of a policy, or for want of memory.
internal import CLinux

/// A reason; each has a word of a loop's counts.
package enum EdgeRefusal: Int, CaseIterable, Sendable {
    /// Requests beyond a rate (429).
    case rate
    /// Requests from addresses that are not served (403).
    case address
    /// Requests whose target or body was too large (413, 414).
    case size
    /// Requests whose body came too slowly (408).
    case slowBody
    /// Connections beyond what their client may have (429).
    case connectionsPerClient
    /// Requests (503) and connections beyond what the edge has memory for.
    case overload

    /// As metrics write it: `slowBody`.
    package var name: String { "\(self)" }

    /// Its word in a line of counts: the words before are the loop's connections and its longest swap of a table.
    var word: Int { 2 + rawValue }

    /// What all loops have counted since they started; each number is exact, but they are not read at one instant.
    static func sums(of counts: [CounterLine]) -> [EdgeRefusal: Int] {
        let pairs = allCases.map { refusal in
            (refusal, counts.reduce(0) { $0 + Int(clinux_atomic_relaxed_load($1.words + refusal.word)) })
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }
}
