// SystemProbeSource: steps against namespaces, mounts, other processes and the kernel itself, in C.

/// Stands before `probeSource`, which asks `try_system` for the steps that it does not have itself.
let systemProbeSource = #"""
    #include <linux/capability.h>
    #include <sys/klog.h>
    #include <sys/resource.h>
    #include <sys/time.h>
    #include <sys/xattr.h>

    static int result(const char *name, long value);
    static long reads(const char *path);
    static long rewrite(const char *path);
    static long leaves(long pid);

    static long lists(const char *path) { return open(path, O_RDONLY | O_DIRECTORY); }
    static long links(const char *path) { char text[256]; return readlink(path, text, sizeof text); }
    static long pidfd(int pid) { return syscall(SYS_pidfd_open, pid, 0); }
    static long makes(const char *path) { return open(path, O_RDWR | O_CREAT, 0600); }

    // The bytes are those that are there already: this program is not position-independent, and init is a copy of it.
    static long write_memory_of_init(void) {
        static long word = 7;
        struct iovec here = {&word, sizeof word}, there = {&word, sizeof word};
        return syscall(SYS_process_vm_writev, 1, &here, 1, &there, 1, 0);
    }

    static long advise_init(void) {
        struct iovec page = {(void *)0x400000, 4096};
        return syscall(440, pidfd(1), &page, 1, 20, 0);
    }

    static long seize(void) {
        if (ptrace(PTRACE_SEIZE, 1, 0, 0) != 0) return -1;
        ptrace(PTRACE_INTERRUPT, 1, 0, 0);
        waitpid(1, NULL, __WALL);
        return ptrace(PTRACE_DETACH, 1, 0, 0);
    }

    // The way out that needs no path: a file by its number on the file system.
    static long open_by_handle(void) {
        struct { unsigned size; int type; char room[128]; } handle = {.size = 128};
        int mount = -1;
        if (syscall(SYS_name_to_handle_at, AT_FDCWD, "/tmp", &handle, &mount, 0) != 0) return -1;
        return syscall(SYS_open_by_handle_at, open("/tmp", O_RDONLY), &handle, O_RDONLY);
    }

    static long name_handle(void) {
        struct { unsigned size; int type; char room[128]; } handle = {.size = 128};
        int mount = -1;
        return syscall(SYS_name_to_handle_at, AT_FDCWD, "/tmp", &handle, &mount, 0);
    }

    static long clear_read_only(void) {
        unsigned long attributes[4] = {0, 1, 0, 0};
        return syscall(442, AT_FDCWD, "/", 0, attributes, sizeof attributes);
    }

    static long take_capability(void) {
        struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct data[2] = {{1 << 21, 1 << 21, 0}, {0, 0, 0}};
        return syscall(SYS_capset, &header, data);
    }

    static long limit(int resource, long value) {
        struct rlimit wanted = {value, value};
        return setrlimit(resource, &wanted);
    }

    static long run_first(void) {
        struct sched_param parameter = {1};
        return sched_setscheduler(0, SCHED_FIFO, &parameter);
    }

    static long kernel_log(void) { char text[64]; return klogctl(3, text, sizeof text); }

    static int try_system(const char *name) {
        #define STEP(text, ...) if (strcmp(name, text) == 0) return result(name, (long)(__VA_ARGS__))
        STEP("unshare_mount", unshare(CLONE_NEWNS));
        STEP("unshare_pid", unshare(CLONE_NEWPID));
        STEP("unshare_ipc", unshare(CLONE_NEWIPC));
        STEP("unshare_uts", unshare(CLONE_NEWUTS));
        STEP("unshare_cgroup", unshare(CLONE_NEWCGROUP));
        STEP("unshare_time", unshare(0x80));
        STEP("clone_mount", leaves(syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0)));
        STEP("clone_net", leaves(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0)));
        STEP("clone_pid", leaves(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0)));
        STEP("setns_own_net", setns(open("/proc/self/ns/net", O_RDONLY), 0));
        STEP("setns_pidfd", setns(pidfd(1), CLONE_NEWUTS));
        STEP("fspick", syscall(433, AT_FDCWD, "/tmp", 0));
        STEP("move_mount", syscall(429, AT_FDCWD, "/tmp", AT_FDCWD, "/mnt", 0));
        STEP("mount_setattr", clear_read_only());
        STEP("remount", mount(NULL, "/tmp", NULL, MS_REMOUNT | MS_BIND, NULL));
        STEP("bind_root", mount("/", "/tmp", NULL, MS_BIND, NULL));
        STEP("mount_proc", mount("proc", "/tmp", "proc", 0, NULL));
        STEP("mount_sysfs", mount("sysfs", "/tmp", "sysfs", 0, NULL));
        STEP("mount_devtmpfs", mount("devtmpfs", "/tmp", "devtmpfs", 0, NULL));
        STEP("mount_overlay", mount("overlay", "/tmp", "overlay", 0, "lowerdir=/usr:/etc"));
        STEP("mount_cgroup", mount("cgroup", "/tmp", "cgroup", 0, "freezer"));
        STEP("umount_tmp", umount2("/tmp", MNT_DETACH));
        STEP("ptrace_seize", seize());
        STEP("process_vm_writev", write_memory_of_init());
        STEP("process_madvise", advise_init());
        STEP("kcmp", syscall(SYS_kcmp, getpid(), 1, 1, 0, 0));
        STEP("pidfd_getfd", syscall(438, pidfd(1), 1, 0));
        STEP("init_environ", reads("/proc/1/environ"));
        STEP("init_maps", reads("/proc/1/maps"));
        STEP("init_descriptors", lists("/proc/1/fd"));
        STEP("init_directory", links("/proc/1/cwd"));
        STEP("init_program", links("/proc/1/exe"));
        STEP("init_namespaces", links("/proc/1/ns/mnt"));
        STEP("finit_module", syscall(SYS_finit_module, -1, "", 0));
        STEP("delete_module", syscall(SYS_delete_module, "meridian_nosuch", O_NONBLOCK));
        STEP("kexec_file_load", syscall(320, -1, -1, 0, NULL, 0));
        STEP("syslog", kernel_log());
        STEP("iopl", syscall(SYS_iopl, 3));
        STEP("ioperm", syscall(SYS_ioperm, 0x80, 1, 1));
        STEP("settimeofday", settimeofday(NULL, &(struct timezone){0, 0}));
        STEP("setdomainname", setdomainname("x", 1));
        STEP("acct", syscall(SYS_acct, NULL));
        STEP("fanotify", syscall(SYS_fanotify_init, 4, 0));
        STEP("personality", syscall(SYS_personality, 0x0040000));
        STEP("modify_ldt", syscall(SYS_modify_ldt, 0, (char[16]){0}, 16));
        STEP("x32_call", syscall(0x40000000 | 39));
        STEP("name_to_handle", name_handle());
        STEP("open_by_handle", open_by_handle());
        STEP("hostname_file", rewrite("/proc/sys/kernel/hostname"));
        STEP("modprobe_path", rewrite("/proc/sys/kernel/modprobe"));
        STEP("overcommit", rewrite("/proc/sys/vm/overcommit_memory"));
        STEP("randomize", rewrite("/proc/sys/kernel/randomize_va_space"));
        STEP("kallsyms", reads("/proc/kallsyms"));
        STEP("interrupts", reads("/proc/interrupts"));
        STEP("host_memory", reads("/proc/meminfo"));
        STEP("dev_mem", open("/dev/mem", O_RDONLY));
        STEP("dev_kvm", open("/dev/kvm", O_RDWR));
        STEP("dev_fuse", open("/dev/fuse", O_RDWR));
        STEP("dev_ptmx", open("/dev/ptmx", O_RDWR | O_NOCTTY));
        STEP("dev_tun", open("/dev/net/tun", O_RDWR));
        STEP("mknod_char", mknod("/tmp/memory", S_IFCHR | 0600, makedev(1, 1)));
        STEP("etc_write", makes("/etc/planted"));
        STEP("lib_write", makes("/lib/planted"));
        STEP("root_link", reads("/proc/self/root/../../etc/shadow"));
        STEP("chown_root", fchown(makes("/tmp/owned"), 0, 0));
        STEP("file_capability", fsetxattr(makes("/tmp/able"), "trusted.meridian", "x", 1, 0));
        STEP("setgid", syscall(SYS_setgid, 0));
        STEP("setgroups", syscall(SYS_setgroups, 1, (gid_t[]){0}));
        STEP("setresuid", syscall(SYS_setresuid, 0, 0, 0));
        STEP("capset", take_capability());
        STEP("bounding_set", prctl(PR_CAPBSET_DROP, 21, 0, 0, 0));
        STEP("securebits", prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
        STEP("core_limit", limit(RLIMIT_CORE, 4096));
        STEP("core_to_host", limit(RLIMIT_CORE, 0));
        STEP("message_queues", limit(RLIMIT_MSGQUEUE, 4096));
        STEP("realtime", run_first());
        STEP("priority", setpriority(PRIO_PROCESS, 0, -20));
        STEP("io_priority", syscall(SYS_ioprio_set, 1, 0, 1 << 13));
        return -1;
    }
    """#
