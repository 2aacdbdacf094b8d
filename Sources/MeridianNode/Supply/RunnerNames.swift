// RunnerNames: ids for new runners: the revision's name and a few drawn letters.

/// Draws runner ids; the same seed draws the same ones.
struct RunnerNames: Sendable {
    private var state: UInt64

    /// A DNS label has at most 63 characters (RFC 1035 §2.3.4).
    static let lengthMax = 63
    /// Five letters of 30 are 24 million ids per revision; a long name leaves room for four.
    static let suffixLength = 5
    /// No vowels, so that no words appear; no `l` and `o` beside 1 and 0.
    private static let letters = Array("0123456789bcdfghjkmnpqrstvwxyz".utf8)

    init(seed: UInt64) { state = seed }

    /// An id that `isTaken` does not know, for a runner of the revision `namespace/name`.
    mutating func next(for revision: String, isTaken: (String) -> Bool) -> String {
        let name = String(revision.split(separator: "/").last ?? "runner")
        let length = max(1, min(Self.suffixLength, Self.lengthMax - 1 - name.utf8.count))
        while true {  // ends: a node has far fewer runners than there are ids
            let suffix = (0..<length).map { _ in Self.letters[Int(draw() % UInt64(Self.letters.count))] }
            let id = "\(name)-\(String(decoding: suffix, as: UTF8.self))"
            if !isTaken(id) { return id }
        }
    }

    /// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators").
    private mutating func draw() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
