// SyscallFacts: what each syscall of Linux on x86_64 is for, and what permitting it risks.

/// What is known of one syscall.
package struct SyscallFacts: Equatable, Sendable {
    /// How far a call reaches.
    package enum Risk: String, Sendable {
        /// It acts on the program itself and on what it was given.
        case low
        /// It reaches farther than most programs need: shared resources, or parts of the kernel that had many flaws.
        case medium
        /// It steers the machine or other processes, or is a known way out of sandboxes.
        case high

        /// What the word means.
        package var words: String {
            switch self {
            case .low: "acts on the program itself and on what it was given"
            case .medium: "reaches farther than most programs need"
            case .high: "steers the machine or other processes, or is a known way out of sandboxes"
            }
        }
    }

    package let name: String
    /// In the x86_64 table.
    package let number: Int32
    package let risk: Risk
    /// What it is for, in a sentence or two.
    package let purpose: String

    /// Every syscall of `syscallNames`, by name.
    package static let all: [String: SyscallFacts] = {
        let tables = [
            ofProcess, ofMemory, ofSignals, ofTime, ofDescriptors, ofFiles, ofNet, ofSharing, ofMounts, ofMachine,
        ]
        let facts = tables.flatMap { $0.split(separator: "\n") }.compactMap(SyscallFacts.init)
        return Dictionary(facts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }()

    /// A line of the tables: `NUMBER NAME RISK PURPOSE`; nil for any other line.
    private init?(_ line: Substring) {
        let parts = line.split(separator: " ", maxSplits: 3)
        guard parts.count == 4, let number = Int32(parts[0]), let risk = Risk(rawValue: String(parts[2])) else {
            return nil
        }
        self.number = number
        self.risk = risk
        name = String(parts[1])
        purpose = String(parts[3])
    }

    /// The groups that contain it.
    package var groups: [SyscallGroup] { SyscallGroup.allCases.filter { $0.syscalls.contains(name) } }
}
