// SyscallRules: what every filter holds whatever the allowlist says.

/// The fixed rules of all filters.
package enum SyscallRules {
    /// Without these a sandbox cannot start a program, return from a signal handler or end.
    package static let needed: Set<String> = ["execve", "exit", "exit_group", "rt_sigreturn"]

    /// Calls that C libraries and runtimes try first and replace by older ones on ENOSYS, but not on EPERM.
    package static let fallbacks: Set<String> = [
        "cachestat", "close_range", "copy_file_range", "epoll_pwait2", "execveat", "faccessat2", "fchmodat2",
        "futex_requeue", "futex_wait", "futex_waitv", "futex_wake", "getrandom", "io_uring_enter",
        "io_uring_register", "io_uring_setup", "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret",
        "openat2", "pidfd_getfd", "pidfd_open", "pidfd_send_signal", "preadv2", "pwritev2", "renameat2",
        "rseq", "sched_getattr", "sched_setattr", "statx",
    ]

    /// Numbers that kernels have or will have and libseccomp 2.5 has no name for; beyond them EPERM is answered.
    package static let unknownNumbers: ClosedRange<Int32> = 335...511

    /// One argument that decides: the call is allowed where `argument & mask` is one of `values`.
    package struct ArgumentRule: Sendable {
        /// From 0.
        package let argument: UInt32
        package let mask: UInt64
        package let values: [UInt64]
    }

    /// The calls that are allowed with some arguments only, by name.
    package static let arguments: [String: ArgumentRule] = [
        "clone": ArgumentRule(argument: 0, mask: newNamespaces, values: [0]),
        "socket": ArgumentRule(argument: 0, mask: int, values: [unix, inet, inet6]),
        "ioctl": ArgumentRule(argument: 1, mask: int, values: ioctls),
        "prctl": ArgumentRule(argument: 0, mask: int, values: prctls),
        "setrlimit": ArgumentRule(argument: 0, mask: int, values: resources),
        "prlimit64": ArgumentRule(argument: 1, mask: int, values: resources),
    ]

    /// The kernel reads these arguments as 32-bit numbers, whatever the upper half of the register holds.
    private static let int: UInt64 = 0xffff_ffff
    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (clone(2)).
    private static let newNamespaces: UInt64 = 0x7e02_0000
    /// Address families; netlink and packet sockets show and change the machine's network.
    private static let unix: UInt64 = 1
    private static let inet: UInt64 = 2
    private static let inet6: UInt64 = 10

    /// Terminal questions (TCGETS, TCGETS2, TIOCGPGRP, TIOCGWINSZ) and descriptor modes (FIONREAD, FIONBIO, FIONCLEX,
    /// FIOCLEX, FIOASYNC); never TIOCSTI or a device's own.
    private static let ioctls: [UInt64] = [
        0x5401, 0x802c_542a, 0x540f, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451, 0x5452,
    ]

    /// All limits but RLIMIT_CORE (4): a program that lowered it to 0 could send its crashes to the host's core handler.
    private static let resources: [UInt64] = (0...15).filter { $0 != 4 }

    /// Names, parent-death signal, dumpable, seccomp and capability questions, timer slack, subreaper, no_new_privs,
    /// transparent huge pages, and naming of mappings (PR_SET_VMA) as the Dart runtime does.
    private static let prctls: [UInt64] = [
        1, 2, 3, 4, 15, 16, 21, 23, 29, 30, 36, 37, 38, 39, 41, 42, 0x4155_5856, 0x5356_4d41,
    ]
}
