// SyscallGroups: the named groups of syscalls that allowlists are written with, and every syscall name there is.

/// A named group of syscalls, as `spec.groups` of a SyscallAllowlist names it.
///
/// Together the groups are the default profile: what programs of static C, Swift, Go, Rust, Python, Node and Dart (AOT)
/// make while they serve, with room. `clone3` is in none: the filter always answers ENOSYS to it, since its flags lie in
/// memory that a filter cannot read, and every C library falls back to `clone`.
package enum SyscallGroup: String, WordShapeValue {
    /// Threads, children, identity, scheduling, waiting on memory (futex), executing.
    case process
    /// Mapping, protecting and locking memory of its own.
    case memory
    /// Sending, blocking and taking signals.
    case signals
    /// Clocks, sleeping and timers; never setting the clock.
    case time
    /// Reading, writing, polling and copying on descriptors that are open.
    case io
    /// Opening, listing, changing and describing files; never mounting or making device nodes.
    case files
    /// Sockets: making (UNIX, IPv4, IPv6), connecting, serving.
    case net

    /// What the group is for, in a few words.
    package var purpose: String {
        switch self {
        case .process: "threads, children, identity, scheduling, locks"
        case .memory: "mapping, protecting and locking its own memory"
        case .signals: "sending, blocking and taking signals"
        case .time: "clocks, sleeping and timers"
        case .io: "reading, writing and waiting on open descriptors"
        case .files: "opening, listing, changing and describing files"
        case .net: "sockets"
        }
    }

    /// The syscalls of the group, by their Linux names, sorted.
    package var syscalls: [String] {
        switch self {
        case .process: Self.processSyscalls
        case .memory: Self.memorySyscalls
        case .signals: Self.signalsSyscalls
        case .time: Self.timeSyscalls
        case .io: Self.ioSyscalls
        case .files: Self.filesSyscalls
        case .net: Self.netSyscalls
        }
    }

    private static let processSyscalls = words(
        """
        arch_prctl clone execve exit exit_group fork futex futex_waitv getcpu getegid geteuid getgid getgroups getpgid
        getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid membarrier
        pidfd_open prctl prlimit64 rseq sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getparam
        sched_getscheduler sched_setaffinity sched_yield set_robust_list set_tid_address setpgid setpriority setsid
        sysinfo times uname vfork wait4 waitid
        """
    )

    private static let memorySyscalls = words(
        """
        brk madvise memfd_create mincore mlock mlock2 mmap mprotect mremap msync munlock munmap pkey_alloc pkey_free
        pkey_mprotect
        """
    )

    private static let signalsSyscalls = words(
        """
        kill pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
        rt_sigsuspend rt_sigtimedwait sigaltstack signalfd signalfd4 tgkill tkill
        """
    )

    private static let timeSyscalls = words(
        """
        alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time timer_create
        timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime
        """
    )

    private static let ioSyscalls = words(
        """
        close close_range copy_file_range dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2
        epoll_wait eventfd eventfd2 fadvise64 fcntl fdatasync flock fsync getrandom inotify_add_watch inotify_init
        inotify_init1 inotify_rm_watch ioctl lseek pipe pipe2 poll ppoll pread64 preadv preadv2 pselect6 pwrite64
        pwritev pwritev2 read readv select sendfile splice write writev
        """
    )

    private static let filesSyscalls = words(
        """
        access chdir chmod chown creat faccessat faccessat2 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat
        fgetxattr fstat fstatfs ftruncate getcwd getdents getdents64 getxattr lgetxattr link linkat listxattr lstat
        mkdir mkdirat newfstatat open openat openat2 readlink readlinkat rename renameat renameat2 rmdir stat statfs
        statx symlink symlinkat truncate umask unlink unlinkat utimensat utimes
        """
    )

    private static let netSyscalls = words(
        """
        accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg
        sendmsg sendto setsockopt shutdown socket socketpair
        """
    )
}

/// Every syscall name of Linux on x86_64 that the filter knows (libseccomp 2.5), sorted: what an allowlist may name.
package let syscallNames: [String] = words(
    """
    _sysctl accept accept4 access acct add_key adjtimex afs_syscall alarm arch_prctl bind bpf brk cachestat capget
    capset chdir chmod chown chroot clock_adjtime clock_getres clock_gettime clock_nanosleep clock_settime clone
    clone3 close close_range connect copy_file_range creat create_module delete_module dup dup2 dup3 epoll_create
    epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve
    execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fanotify_init fanotify_mark fchdir fchmod
    fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr finit_module flistxattr flock fork fremovexattr
    fsconfig fsetxattr fsmount fsopen fspick fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv
    futex_wake futimesat get_kernel_syms get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents
    getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getpmsg getppid
    getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday
    getuid getxattr init_module inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy
    io_getevents io_pgetevents io_setup io_submit io_uring_enter io_uring_register io_uring_setup ioctl ioperm iopl
    ioprio_get ioprio_set kcmp kexec_file_load kexec_load keyctl kill landlock_add_rule landlock_create_ruleset
    landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr lookup_dcookie lremovexattr lseek
    lsetxattr lstat madvise map_shadow_stack mbind membarrier memfd_create memfd_secret migrate_pages mincore mkdir
    mkdirat mknod mknodat mlock mlock2 mlockall mmap modify_ldt mount mount_setattr move_mount move_pages mprotect
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync
    munlock munlockall munmap name_to_handle_at nanosleep newfstatat nfsservctl open open_by_handle_at open_tree
    openat openat2 pause perf_event_open personality pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 pivot_root
    pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 process_madvise
    process_mrelease process_vm_readv process_vm_writev pselect6 ptrace putpmsg pwrite64 pwritev pwritev2 query_module
    quotactl quotactl_fd read readahead readlink readlinkat readv reboot recvfrom recvmmsg recvmsg remap_file_pages
    removexattr rename renameat renameat2 request_key restart_syscall rmdir rseq rt_sigaction rt_sigpending
    rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
    sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp security select semctl
    semget semop semtimedop sendfile sendmmsg sendmsg sendto set_mempolicy set_mempolicy_home_node set_robust_list
    set_thread_area set_tid_address setdomainname setfsgid setfsuid setgid setgroups sethostname setitimer setns
    setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setsockopt settimeofday setuid setxattr
    shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socket socketpair splice stat statfs statx
    swapoff swapon symlink symlinkat sync sync_file_range syncfs sysfs sysinfo syslog tee tgkill time timer_create
    timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times
    tkill truncate tuxcall umask umount2 uname unlink unlinkat unshare uselib userfaultfd ustat utime utimensat utimes
    vfork vhangup vmsplice vserver wait4 waitid write writev
    """
)

/// The words of a text that are separated by spaces or line ends.
private func words(_ text: String) -> [String] {
    text.split(whereSeparator: \.isWhitespace).map(String.init)
}
