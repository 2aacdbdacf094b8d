// ProbeSource: steps out of a sandbox in C, each able to succeed, and the throw-away machine where they may.

/// Appended to `programSource`; `probe NAME...` tries steps here, `control NAME` one as root in a throw-away machine.
let probeSource = #"""
    #include <linux/bpf.h>
    #include <linux/filter.h>
    #include <linux/kexec.h>
    #include <linux/perf_event.h>
    #include <linux/sched.h>
    #include <linux/seccomp.h>
    #include <dirent.h>
    #include <poll.h>
    #include <sys/ioctl.h>

    // Prints the line of a step: DONE where it worked, else why not.
    static int result(const char *name, long value) {
        printf("%s %s\n", name, value < 0 ? strerror(errno) : "DONE");
        fflush(stdout);
        return 0;
    }

    static long reads(const char *path) {
        char byte;
        int file = open(path, O_RDONLY | O_NONBLOCK);
        return file < 0 ? -1 : read(file, &byte, 1);
    }

    static long writes(const char *path, const char *text, size_t size) {
        int file = open(path, O_WRONLY | O_CREAT | O_NONBLOCK, 0600);
        return file < 0 ? -1 : write(file, text, size);
    }

    // The child of a clone that worked ends at once.
    static long leaves(long pid) { if (pid == 0) _exit(0); return pid; }

    static long clone3_user(void) {
        struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
        return leaves(syscall(SYS_clone3, &arguments, sizeof arguments));
    }

    static long make_map(void) {
        union bpf_attr attribute = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
        return syscall(SYS_bpf, BPF_MAP_CREATE, &attribute, sizeof attribute);
    }

    static long count_events(void) {
        struct perf_event_attr attribute = {
            .type = PERF_TYPE_SOFTWARE, .size = sizeof attribute, .config = PERF_COUNT_SW_CPU_CLOCK};
        return syscall(SYS_perf_event_open, &attribute, 0, -1, -1, 0);
    }

    static long make_ring(void) { char parameters[256] = {0}; return syscall(SYS_io_uring_setup, 8, parameters); }

    static long read_memory_of_init(void) {
        char bytes[16];
        // Where programs that are not position-independent, as this one, begin.
        struct iovec here = {bytes, sizeof bytes}, there = {(void *)0x400000, sizeof bytes};
        return syscall(SYS_process_vm_readv, 1, &here, 1, &there, 1, 0);
    }

    static long add_filter(void) {
        struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        struct sock_fprog program = {1, code};
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    }

    static long type_into_terminal(void) {
        int terminal = posix_openpt(O_RDWR | O_NOCTTY);
        char *other = terminal < 0 ? NULL : ptsname(terminal);
        int is_open = other != NULL && grantpt(terminal) == 0 && unlockpt(terminal) == 0;
        int slave = is_open ? open(other, O_RDWR | O_NOCTTY) : 0;
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        return ioctl(slave, TIOCSTI, "x");
    }

    // Detached when it has stopped: an init that is left stopped never ends.
    static long attach(void) {
        if (ptrace(PTRACE_ATTACH, 1, 0, 0) != 0) return -1;
        waitpid(1, NULL, __WALL);
        return ptrace(PTRACE_DETACH, 1, 0, 0);
    }

    static long pivot(void) { return chdir("/tmp") != 0 ? -1 : syscall(SYS_pivot_root, ".", "."); }

    // The host's settings are written back as they are.
    static long rewrite(const char *path) {
        char text[256];
        int file = open(path, O_RDWR);
        ssize_t size = file < 0 ? -1 : read(file, text, sizeof text);
        return size < 0 ? -1 : pwrite(file, text, size, 0);
    }

    static long read_disk(void) {
        static const char *const disks[] = {"/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/xvda", "/dev/mmcblk0"};
        long answer = -1;
        for (unsigned i = 0; i < sizeof disks / sizeof disks[0]; i++) {
            answer = reads(disks[i]);
            if (answer >= 0 || errno != ENOENT) break;
        }
        return answer;
    }

    // A descriptor that was left open for the program by whoever started it.
    static long find_descriptor(void) {
        for (int i = 3; i < 4096; i++) if (fcntl(i, F_GETFD) >= 0) return i;
        errno = EBADF;
        return -1;
    }

    static long connect_to(int port) {
        int made = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return made < 0 ? -1 : connect(made, (void *)&name, sizeof name);
    }

    // getpid of the 32-bit table.
    static long call_32_bit(void) {
        long answer = 20;
        __asm__ volatile("int $0x80" : "+a"(answer) : : "memory", "r8", "r9", "r10", "r11");
        if (answer < 0) errno = -answer;
        return answer;
    }

    static int try(const char *name) {
        #define PROBE(text, ...) if (strcmp(name, text) == 0) return result(name, (long)(__VA_ARGS__))
        PROBE("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
        PROBE("umount", umount2("/proc", MNT_DETACH));
        PROBE("pivot_root", pivot());
        PROBE("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
        PROBE("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
        PROBE("unshare_user", unshare(CLONE_NEWUSER));
        PROBE("unshare_net", unshare(CLONE_NEWNET));
        PROBE("clone_user", leaves(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)));
        PROBE("clone3_user", clone3_user());
        PROBE("setns", setns(open("/proc/1/ns/mnt", O_RDONLY), 0));
        PROBE("ptrace", attach());
        PROBE("process_vm_readv", read_memory_of_init());
        PROBE("bpf", make_map());
        PROBE("perf_event_open", count_events());
        PROBE("io_uring", make_ring());
        PROBE("keyctl", syscall(SYS_keyctl, 1, NULL, 0, 0, 0));
        PROBE("add_key", syscall(SYS_add_key, "user", "a", "b", 1, -3));
        PROBE("raw_socket", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
        PROBE("packet_socket", socket(AF_PACKET, SOCK_RAW, 0));
        PROBE("netlink_socket", socket(AF_NETLINK, SOCK_RAW, 0));
        PROBE("chroot", chroot("/tmp"));
        PROBE("mknod", mknod("/tmp/disk", S_IFBLK | 0600, makedev(254, 0)));
        PROBE("setuid", syscall(SYS_setuid, 0));
        PROBE("sethostname", sethostname("x", 1));
        PROBE("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0x01234567, 0));
        PROBE("init_module", syscall(SYS_init_module, NULL, 0, ""));
        PROBE("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, ~0L));
        PROBE("userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC));
        PROBE("init_memory", open("/proc/1/mem", O_RDWR));
        PROBE("init_root", open("/proc/1/root/etc", O_RDONLY));
        PROBE("core_pattern", rewrite("/proc/sys/kernel/core_pattern"));
        PROBE("sysrq", writes("/proc/sysrq-trigger", "h", 1));
        PROBE("sys", reads("/sys/kernel/mm/transparent_hugepage/enabled"));
        PROBE("host_disk", read_disk());
        PROBE("kmsg", writes("/dev/kmsg", "meridian escape test\n", 21));
        PROBE("usr_write", writes("/usr/planted", "x", 1));
        PROBE("root_write", writes("/planted", "x", 1));
        PROBE("shadow", reads("/etc/shadow"));
        PROBE("tiocsti", type_into_terminal());
        PROBE("add_filter", add_filter());
        PROBE("descriptor", find_descriptor());
        PROBE("call_32_bit", call_32_bit());
        if (strncmp(name, "host_port:", 10) == 0) return result("host_port", connect_to(atoi(name + 10)));
        if (strncmp(name, "host_process:", 13) == 0) return result("host_process", kill(atoi(name + 13), 0));
        if (try_system(name) == 0 || try_network(name) == 0) return 0;
        printf("%s UNKNOWN\n", name);
        fflush(stdout);
        return 64;
    }

    // Each step in a process of its own, so that one that works does not help the next.
    static int probe(const char *name) {
        pid_t child = fork();
        if (child == 0) _exit(try(name));
        int status = 0;
        if (child < 0) return result(name, -1);
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) printf("%s killed by signal %d\n", name, WTERMSIG(status));
        return 0;
    }

    static void require(int done, const char *what) {
        if (done >= 0) return;
        printf("SETUP %s: %s\n", what, strerror(errno));
        fflush(stdout);
        _exit(65);
    }

    // A root that is the host's, writable, and forgotten with the mount namespace.
    static void enter_throw_away_root(void) {
        require(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
        require(mount("none", "/mnt", "tmpfs", 0, NULL), "tmpfs");
        require(mkdir("/mnt/up", 0755), "upper");
        require(mkdir("/mnt/work", 0755), "work");
        require(mkdir("/mnt/root", 0755), "root");
        const char *layers = "lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work";
        require(mount("overlay", "/mnt/root", "overlay", 0, layers), "overlay");
        require(mount("/dev", "/mnt/root/dev", NULL, MS_BIND | MS_REC, NULL), "/dev");
        require(mount("proc", "/mnt/root/proc", "proc", 0, NULL), "/proc");
        require(mount("sysfs", "/mnt/root/sys", "sysfs", 0, NULL), "/sys");
        require(mount("none", "/mnt/root/tmp", "tmpfs", 0, NULL), "/tmp");
        // Not chroot: a process in one may make no user namespace.
        require(chdir("/mnt/root"), "chdir");
        require(syscall(SYS_pivot_root, ".", "."), "pivot_root");
        require(umount2(".", MNT_DETACH), "umount");
        require(chdir("/"), "chdir");
    }

    // The first process of the throw-away machine: with a keyring of its own and a descriptor that leaks.
    static void live_as_init(const char *name) {
        enter_throw_away_root();
        require(syscall(SYS_keyctl, 1, NULL, 0, 0, 0), "keyring");
        if (strcmp(name, "descriptor") == 0) require(open("/", O_RDONLY), "descriptor");
        probe(name);
        fflush(stdout);
        _exit(0);
    }

    static int control(const char *name) {
        long flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
        // What reaches for the host's own does so from the host's own namespace.
        int has_host_network = strncmp(name, "host_port:", 10) == 0 || strncmp(name, "host_abstract:", 14) == 0
            || strcmp(name, "host_route") == 0 || strcmp(name, "host_metadata") == 0;
        if (!has_host_network) flags |= CLONE_NEWNET;
        if (strncmp(name, "host_process:", 13) != 0) flags |= CLONE_NEWPID;
        fflush(stdout);
        long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
        if (child == 0) live_as_init(name);
        require(child, "namespaces");
        int status = 0;
        waitpid(child, &status, 0);
        // A restart inside a PID namespace is told to its parent by this signal (reboot(2)).
        if (strcmp(name, "reboot") == 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP) return result(name, 0);
        if (!WIFEXITED(status)) printf("%s init ended with %d\n", name, status);
        return 0;
    }
    """#
