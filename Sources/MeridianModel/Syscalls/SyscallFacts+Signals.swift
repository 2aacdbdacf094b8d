// SyscallFacts+Signals: signals.

extension SyscallFacts {
    static let ofSignals = """
        13 rt_sigaction low Sets what a signal does.
        14 rt_sigprocmask low Blocks and unblocks signals.
        15 rt_sigreturn low Returns from a signal handler; no program runs without it.
        127 rt_sigpending low Tells which blocked signals wait.
        128 rt_sigtimedwait low Waits for a signal, for some time.
        129 rt_sigqueueinfo low Sends a signal with a value.
        297 rt_tgsigqueueinfo low Sends a signal with a value to one thread.
        130 rt_sigsuspend low Waits with another set of blocked signals.
        131 sigaltstack low Gives signal handlers a stack of their own.
        34 pause low Waits for any signal.
        62 kill low Sends a signal; only processes of the same sandbox can be reached.
        200 tkill low Sends a signal to one thread.
        234 tgkill low Sends a signal to one thread of one process.
        219 restart_syscall low Goes on with an interrupted wait; the kernel itself makes it.
        282 signalfd low Reads signals from a descriptor.
        289 signalfd4 low Reads signals from a descriptor, with flags.
        """
}
