// SyscallFacts+Machine: the machine itself, its kernel, keys and other processes.

extension SyscallFacts {
    static let ofMachine = """
        101 ptrace high Watches and steers another process, and its syscalls.
        321 bpf high Loads programs into the kernel.
        298 perf_event_open high Measures processes and the kernel; had many flaws, and leaks what others do.
        317 seccomp low Adds a filter for the caller itself; it can only take rights away.
        444 landlock_create_ruleset low Begins a set of rules that limits the caller's own file access.
        445 landlock_add_rule low Adds a rule to such a set.
        446 landlock_restrict_self low Puts such a set in force for the caller.
        248 add_key high Stores a key in the kernel; keyrings are not part of any namespace.
        249 request_key high Looks for a key, and may start a program of the host for it.
        250 keyctl high Changes keys and keyrings of the kernel.
        175 init_module high Loads a module into the kernel.
        313 finit_module high Loads a module from a file into the kernel.
        176 delete_module high Unloads a module of the kernel.
        246 kexec_load high Loads another kernel to start.
        320 kexec_file_load high Loads another kernel from a file.
        169 reboot high Restarts or halts the machine.
        170 sethostname high Sets the host name.
        171 setdomainname high Sets the NIS domain name.
        103 syslog high Reads and clears the kernel's log, which holds addresses.
        163 acct high Records every process that ends on the machine to a file.
        172 iopl high Gives access to the machine's I/O ports.
        173 ioperm high Gives access to some I/O ports.
        153 vhangup medium Hangs up the terminal.
        212 lookup_dcookie high Turns a profiler's number into a path.
        134 uselib high Loads a library the way of the first Linux formats; long removed.
        156 _sysctl high Read and set kernel parameters; removed from Linux.
        174 create_module high Made room for a module; removed from Linux.
        177 get_kernel_syms high Listed the kernel's symbols; removed from Linux.
        178 query_module high Told about modules; removed from Linux.
        180 nfsservctl high Steered the kernel's NFS server; removed from Linux.
        181 getpmsg low Of System V streams; Linux never had it.
        182 putpmsg low Of System V streams; Linux never had it.
        183 afs_syscall low Of the Andrew file system; Linux never had it.
        184 tuxcall low Of a web server in the kernel; Linux never had it.
        185 security low Reserved for security modules; Linux never had it.
        236 vserver low Of the Linux-VServer patches; Linux never had it.
        214 epoll_ctl_old low A first form of epoll_ctl; Linux never had it on x86_64.
        215 epoll_wait_old low A first form of epoll_wait; Linux never had it on x86_64.
        """
}
