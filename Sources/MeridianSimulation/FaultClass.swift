// FaultClass: what goes wrong in a run, and the deliberate bugs that show that the oracles see it.

/// A class of faults, by its number among the known ways in which reconcilers break.
package enum FaultClass: Int, CaseIterable, Sendable {
    /// The view lags the store by some revisions.
    case staleRead = 1
    /// News is dropped; only the periodic look at everything recovers.
    case missedNews = 3
    /// The control plane dies after an effect.
    case crash = 5
    /// An effect fails, or succeeds and its answer is lost, or succeeds late.
    case partialFailure = 6
    /// An object goes and another one of its name comes, while work for the first is under way.
    case sameName = 7
    /// Reports and results come twice, late and out of order.
    case reordering = 9
    /// Something fails each time: the loop must back off, and recover when it is mended.
    case hotLoop = 12
    /// The store cannot be read at the start, and no node has been heard.
    case emptyStart = 17
}

/// A deliberate bug in the simulated surroundings of the loop; each is of the kind that its class of faults punishes.
package enum DeliberateBug: String, CaseIterable, Sendable {
    /// Writes do not check what they replace.
    case unfencedWrites
    /// There is no periodic look at everything.
    case noFullLook
    /// After a restart nothing is known of the assignment numbers that were used.
    case numbersForgotten
    /// A node's refusal is taken for success.
    case failureIsSuccess
    /// Results go to whoever has the name now.
    case resultsByName
    /// The node takes any assignment, old or new.
    case olderAssignmentsTaken
    /// Whatever is held back leads to a restart, which forgets failures and with them the back-off.
    case failuresForgotten
    /// A read that fails for all that people wrote is taken for there being nothing of it.
    case failedReadIsEmpty

    /// The class of faults that brings it to light.
    package var faultClass: FaultClass {
        switch self {
        case .unfencedWrites: .staleRead
        case .noFullLook: .missedNews
        case .numbersForgotten: .crash
        case .failureIsSuccess: .partialFailure
        case .resultsByName: .sameName
        case .olderAssignmentsTaken: .reordering
        case .failuresForgotten: .hotLoop
        case .failedReadIsEmpty: .emptyStart
        }
    }
}

/// Everything that a run is made from.
package struct SimulationCase: Sendable, Hashable {
    package var seed: UInt64
    /// Nil: nothing goes wrong.
    package var faults: FaultClass?
    package var bug: DeliberateBug?
    /// The control plane dies after this effect (counted from 1), whatever else goes wrong.
    package var crashAfterEffect: Int?

    package init(
        seed: UInt64,
        faults: FaultClass? = nil,
        bug: DeliberateBug? = nil,
        crashAfterEffect: Int? = nil
    ) {
        self.seed = seed
        self.faults = faults
        self.bug = bug
        self.crashAfterEffect = crashAfterEffect
    }

    /// The command that runs this case again.
    package var command: String {
        var words = ["meridian simulate --seed \(seed)"]
        if let faults { words.append("--class \(faults.rawValue)") }
        if let bug { words.append("--bug \(bug.rawValue)") }
        if let crashAfterEffect { words.append("--crash-after \(crashAfterEffect)") }
        return words.joined(separator: " ")
    }
}
