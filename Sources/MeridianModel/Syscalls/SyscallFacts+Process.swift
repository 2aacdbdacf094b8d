// SyscallFacts+Process: processes, threads, identities, scheduling.

extension SyscallFacts {
    static let ofProcess = """
        56 clone low Makes a thread or a child process. Flags that make namespaces are refused by every filter.
        57 fork low Makes a child process as a copy of the caller.
        58 vfork low Makes a child that borrows the caller's memory until it executes a program.
        435 clone3 medium Makes a thread or a child with its flags in memory, where no filter can read them; \
        always ENOSYS, so that libraries use clone.
        59 execve low Replaces the program by another one; inside the sandbox that can only be a file it sees.
        322 execveat medium Executes a file by descriptor, also one that exists in memory only and was never on a \
        disk.
        60 exit low Ends the calling thread.
        231 exit_group low Ends the whole process.
        61 wait4 low Waits for a child and takes its exit status.
        247 waitid low Waits for a child, with finer choice of which and of what.
        39 getpid low Tells the process's own number.
        110 getppid low Tells the parent's number.
        186 gettid low Tells the thread's own number.
        102 getuid low Tells the user id.
        104 getgid low Tells the group id.
        107 geteuid low Tells the user id that permissions are checked by.
        108 getegid low Tells the group id that permissions are checked by.
        118 getresuid low Tells the real, effective and saved user ids.
        120 getresgid low Tells the real, effective and saved group ids.
        115 getgroups low Lists the supplementary groups; a runner has none.
        105 setuid medium Changes the user id; needs a capability that no runner has.
        106 setgid medium Changes the group id; needs a capability that no runner has.
        113 setreuid medium Changes real and effective user ids; needs a capability that no runner has.
        114 setregid medium Changes real and effective group ids; needs a capability that no runner has.
        117 setresuid medium Changes all three user ids; needs a capability that no runner has.
        119 setresgid medium Changes all three group ids; needs a capability that no runner has.
        116 setgroups medium Sets the supplementary groups; needs a capability that no runner has.
        122 setfsuid medium Changes the user id that file permissions are checked by.
        123 setfsgid medium Changes the group id that file permissions are checked by.
        125 capget low Tells the capabilities of a process.
        126 capset medium Changes the process's capabilities; a runner has none to change.
        109 setpgid low Moves a process into a process group.
        111 getpgrp low Tells the caller's process group.
        121 getpgid low Tells a process's group.
        112 setsid low Makes a session of the caller's own, without a terminal.
        124 getsid low Tells a process's session.
        140 getpriority low Tells a nice value.
        141 setpriority low Changes a nice value; without privilege only to a less favoured one.
        24 sched_yield low Gives up the processor for the moment.
        142 sched_setparam medium Changes a real-time priority, which can starve others.
        143 sched_getparam low Tells a real-time priority.
        144 sched_setscheduler medium Changes how a thread is scheduled; real-time classes can starve others.
        145 sched_getscheduler low Tells how a thread is scheduled.
        146 sched_get_priority_max low Tells the highest priority of a scheduling class.
        147 sched_get_priority_min low Tells the lowest priority of a scheduling class.
        148 sched_rr_get_interval low Tells a thread's slice of round-robin time.
        203 sched_setaffinity low Chooses the processors that a thread may use; the cgroup's limit stays.
        204 sched_getaffinity low Tells which processors a thread may use; runtimes count them so.
        314 sched_setattr medium Changes scheduling class, priority or deadline in one call.
        315 sched_getattr low Tells scheduling class, priority and deadline.
        309 getcpu low Tells on which processor the caller runs.
        98 getrusage low Tells the resources used so far.
        100 times low Tells processor times of the process and its children.
        97 getrlimit low Tells a resource limit.
        160 setrlimit low Lowers a resource limit; that of core files is refused by every filter.
        302 prlimit64 low Tells or lowers a resource limit; that of core files is refused by every filter.
        99 sysinfo low Tells memory, load and uptime of the machine.
        63 uname low Tells kernel version and host name.
        135 personality medium Changes how old programs are imitated; can switch address randomization off.
        157 prctl low Asks and sets properties of the process; the filter permits a short list of them.
        158 arch_prctl low Sets the register that thread-local storage is found by.
        218 set_tid_address low Says where the kernel clears a thread's number when it ends.
        202 futex low Waits on and wakes a word of shared memory: the ground of all locks.
        449 futex_waitv low Waits on several futexes at once.
        454 futex_wake low Wakes waiters of a futex; a newer form of futex.
        455 futex_wait low Waits on a futex; a newer form of futex.
        456 futex_requeue low Moves waiters from one futex to another; a newer form of futex.
        273 set_robust_list low Says which locks to release if the thread dies.
        274 get_robust_list low Tells a thread's list of such locks.
        334 rseq low Registers restartable sequences, with which libraries know their processor cheaply.
        324 membarrier low Makes other threads of the process pass a memory barrier.
        205 set_thread_area low Sets thread-local storage of 32-bit programs.
        211 get_thread_area low Tells thread-local storage of 32-bit programs.
        154 modify_ldt high Edits the processor's descriptor table; 16-bit segments were used to attack kernels.
        434 pidfd_open low Opens a process of the same sandbox as a descriptor.
        424 pidfd_send_signal low Sends a signal by such a descriptor.
        438 pidfd_getfd medium Takes a copy of another process's open file.
        312 kcmp medium Compares kernel objects of two processes; helps to find kernel addresses.
        """
}
