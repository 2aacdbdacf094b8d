// SyscallFilter: an allowlist as the program that the kernel runs before every syscall (seccomp(2)).
internal import CLinux
internal import CSeccomp
internal import Glibc
internal import MeridianModel

/// A compiled filter.
package struct SyscallFilter: Sendable, Equatable {
    /// Instructions of eight bytes (struct sock_filter).
    package let code: [UInt8]

    /// How many instructions there are; seccomp(2) takes 4096 at most.
    package var instructionCount: Int { code.count / 8 }

    /// What a call outside the allowlist meets.
    package enum Denial: Hashable, Sendable {
        /// The call waits for the sandbox's init, which tells its name and answers it or kills the program
        /// (`DeniedAnswers`).
        ///
        /// Allowed calls cost what they cost with the others; a denied one 5 µs more. It is never made: where init is
        /// gone, so is the caller.
        case told
        /// The kernel answers EPERM, or ENOSYS for `SyscallRules.fallbacks`, and nobody hears of it.
        case errno
        /// The kernel kills the program with SIGSYS, which tells no name.
        case kill
        /// Every call on the list waits for init, which tells its name and lets it through
        /// (`DeniedAnswers.learning`); what is not on the list, or has other arguments, meets the kernel's EPERM.
        case recorded
    }

    /// Compiles an allowlist of syscall names.
    ///
    /// About a millisecond; use `SyscallFilterCache`. Whatever the names are, `SyscallRules.needed` is allowed, `clone3`
    /// and numbers unknown to libseccomp get ENOSYS (C libraries fall back), a foreign architecture is killed, and
    /// `clone`, `socket`, `ioctl`, `prctl`, `setrlimit` and `prlimit64` are allowed with the arguments of `SyscallRules`
    /// only.
    package static func compile(_ names: [String], denial: Denial) throws(SyscallFilterError) -> SyscallFilter {
        guard let context = seccomp_init(action(denial)) else { throw .library("start a filter", ENOMEM) }
        defer { seccomp_release(context) }
        try set(context, SCMP_FLTATR_ACT_BADARCH, Action.killProcess)
        // 2: a binary tree, so that the last of 200 names costs as little as the first (libseccomp 2.5).
        try set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
        for name in Set(names).union(SyscallRules.needed).subtracting(["clone3"]).sorted() {
            let isRecorded = denial == .recorded && !SyscallRules.needed.contains(name)
            try allow(name, isRecorded ? Action.report : Action.allow, in: context)
        }
        try refuseUnknown(denial, allowed: Set(names), in: context)
        return SyscallFilter(code: try export(context))
    }

    /// Actions of seccomp(2) that libseccomp defines as macros.
    private enum Action {
        static let killProcess: UInt32 = 0x8000_0000
        static let report: UInt32 = 0x7fc0_0000
        static let allow: UInt32 = 0x7fff_0000
        static func fail(_ code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code) }
    }

    private static func action(_ denial: Denial) -> UInt32 {
        switch denial {
        case .told: Action.report
        case .errno, .recorded: Action.fail(EPERM)
        case .kill: Action.killProcess
        }
    }

    private static func allow(
        _ name: String,
        _ action: UInt32,
        in context: scmp_filter_ctx
    ) throws(SyscallFilterError) {
        let number = try resolve(name)
        guard let rule = SyscallRules.arguments[name] else {
            try add(context, action, number, [])
            return
        }
        for value in rule.values {
            let comparison = scmp_arg_cmp(
                arg: rule.argument,
                op: SCMP_CMP_MASKED_EQ,
                datum_a: rule.mask,
                datum_b: value
            )
            try add(context, action, number, [comparison])
        }
    }

    /// ENOSYS for what C libraries have a fallback for, so that they take it.
    private static func refuseUnknown(
        _ denial: Denial,
        allowed: Set<String>,
        in context: scmp_filter_ctx
    ) throws(SyscallFilterError) {
        let missing = Action.fail(ENOSYS)
        try add(context, missing, try resolve("clone3"), [])
        if denial == .errno {
            for name in SyscallRules.fallbacks.subtracting(allowed).sorted() {
                try add(context, missing, try resolve(name), [])
            }
        }
        for number in SyscallRules.unknownNumbers where !isKnown(number) { try add(context, missing, number, []) }
    }

    /// The number of a name; the error suggests the name that was meant.
    private static func resolve(_ name: String) throws(SyscallFilterError) -> Int32 {
        if let number = syscallNumber(name) { return number }
        throw .unknownName(name, suggestion: suggestion(for: name, among: syscallNames))
    }

    private static func isKnown(_ number: Int32) -> Bool { syscallName(number) != nil }

    private static func set(
        _ context: scmp_filter_ctx,
        _ attribute: scmp_filter_attr,
        _ value: UInt32
    ) throws(SyscallFilterError) {
        let code = seccomp_attr_set(context, attribute, value)
        guard code == 0 else { throw .library("set an attribute", -code) }
    }

    private static func add(
        _ context: scmp_filter_ctx,
        _ action: UInt32,
        _ number: Int32,
        _ comparisons: [scmp_arg_cmp]
    ) throws(SyscallFilterError) {
        let code = seccomp_rule_add_exact_array(context, action, number, UInt32(comparisons.count), comparisons)
        guard code == 0 else { throw .library("add a rule for syscall \(number)", -code) }
    }

    /// libseccomp 2.5 writes a filter to a file only; the file is in memory.
    private static func export(_ context: scmp_filter_ctx) throws(SyscallFilterError) -> [UInt8] {
        let raw = clinux_memory_file("meridian-filter")
        guard raw >= 0 else { throw .library("make a file in memory", errno) }
        let file = Descriptor(owning: raw)
        let code = seccomp_export_bpf(context, file.raw)
        guard code == 0 else { throw .library("export the filter", -code) }
        let size = Int(lseek(file.raw, 0, SEEK_END))
        var bytes = [UInt8](repeating: 0, count: max(0, size))
        guard size > 0, pread(file.raw, &bytes, size, 0) == size else { throw .library("read the filter", errno) }
        return bytes
    }
}

/// The number of a syscall on this architecture; nil where libseccomp knows none.
package func syscallNumber(_ name: String) -> Int32? {
    let number = seccomp_syscall_resolve_name(name)
    // Pseudo numbers (below zero) stand for calls of other architectures.
    return number >= 0 ? number : nil
}

/// The name of a syscall on this architecture; nil where libseccomp knows none.
package func syscallName(_ number: Int32) -> String? {
    guard let name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number) else { return nil }
    defer { free(name) }
    return String(cString: name)
}
