// DeniedAnswers: what the init of a sandbox does with each denied call, by number.
internal import CZygote
internal import MeridianModel

/// A table for the init of one runner (`mz_start.answers`).
struct DeniedAnswers: Equatable {
    /// One `mz_answer` per syscall number.
    let bytes: [UInt8]

    /// The answers that an allowlist with this action gives.
    init(_ action: DeniedSyscallAction) {
        bytes = action == .kill ? Self.killing : Self.failing
    }

    /// Lets calls through so that a program can be watched, but none of high risk: those fail as ever.
    static let learning = DeniedAnswers(bytes: learningBytes)

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private static let learningBytes: [UInt8] = {
        var bytes = failing
        for facts in SyscallFacts.all.values where facts.risk != .high && bytes.indices.contains(Int(facts.number)) {
            bytes[Int(facts.number)] = UInt8(MZ_ANSWER_CONTINUE.rawValue)
        }
        return bytes
    }()

    private static let killing = [UInt8](repeating: UInt8(MZ_ANSWER_KILL.rawValue), count: Int(MZ_SYSCALLS_MAX))

    /// EPERM, but ENOSYS for what C libraries have a fallback for, so that they take it.
    private static let failing: [UInt8] = {
        var bytes = [UInt8](repeating: UInt8(MZ_ANSWER_EPERM.rawValue), count: Int(MZ_SYSCALLS_MAX))
        for name in SyscallRules.fallbacks {
            guard let number = syscallNumber(name), bytes.indices.contains(Int(number)) else { continue }
            bytes[Int(number)] = UInt8(MZ_ANSWER_ENOSYS.rawValue)
        }
        return bytes
    }()
}
