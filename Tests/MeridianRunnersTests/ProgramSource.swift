// ProgramSource: the program that the tests run in sandboxes, in C, one mode per question.

/// Compiled once per test run; `argv[1]` picks the mode.
let programSource = #"""
    #define _GNU_SOURCE
    #include <arpa/inet.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <sched.h>
    #include <signal.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mount.h>
    #include <sys/prctl.h>
    #include <sys/ptrace.h>
    #include <sys/reboot.h>
    #include <sys/socket.h>
    #include <sys/stat.h>
    #include <sys/syscall.h>
    #include <sys/sysmacros.h>
    #include <sys/uio.h>
    #include <sys/wait.h>
    #include <unistd.h>

    extern char **environ;
    static const char *health = "200 OK";

    static void say_bye(int number) { (void)number; (void)!write(1, "bye\n", 4); _exit(0); }

    static int serve(const char *address, int port, int rounds) {
        int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
        inet_pton(AF_INET, address, &name.sin_addr);
        if (bind(listener, (void *)&name, sizeof name) != 0 || listen(listener, 64) != 0) { perror("listen"); return 9; }
        for (int round = 0; round != rounds; round++) {
            int client = accept(listener, NULL, NULL);
            char request[4096], answer[256];
            ssize_t count = read(client, request, sizeof request - 1);
            if (count > 0) {
                int size = snprintf(answer, sizeof answer,
                                    "HTTP/1.1 %s\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello", health);
                (void)!write(client, answer, size);
            }
            close(client);
        }
        return 0;
    }

    static int result(const char *name, long value) {
        printf("%s %s\n", name, value < 0 ? strerror(errno) : "DONE");
        return 0;
    }

    // Each of these would be a step out of the sandbox, or a look around the machine.
    static int probe(const char *name) {
        #define PROBE(text, ...) if (strcmp(name, text) == 0) return result(name, (long)(__VA_ARGS__))
        PROBE("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
        PROBE("umount", umount2("/proc", MNT_DETACH));
        PROBE("pivot_root", syscall(SYS_pivot_root, ".", "."));
        PROBE("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
        PROBE("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
        PROBE("unshare_user", unshare(CLONE_NEWUSER));
        PROBE("unshare_net", unshare(CLONE_NEWNET));
        PROBE("clone_user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
        PROBE("clone3", syscall(SYS_clone3, NULL, 0));
        PROBE("setns", setns(open("/proc/1/ns/mnt", O_RDONLY), 0));
        PROBE("ptrace", ptrace(PTRACE_ATTACH, 1, 0, 0));
        PROBE("process_vm_readv", syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
        PROBE("bpf", syscall(SYS_bpf, 0, NULL, 0));
        PROBE("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
        PROBE("io_uring", syscall(SYS_io_uring_setup, 8, NULL));
        PROBE("keyctl", syscall(SYS_keyctl, 0, -3, 0, 0, 0));
        PROBE("add_key", syscall(SYS_add_key, "user", "a", "b", 1, -3));
        PROBE("raw_socket", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
        PROBE("packet_socket", socket(AF_PACKET, SOCK_RAW, 0));
        PROBE("netlink_socket", socket(AF_NETLINK, SOCK_RAW, 0));
        PROBE("chroot", chroot("/tmp"));
        PROBE("mknod", mknod("/tmp/disk", S_IFBLK | 0600, makedev(254, 0)));
        PROBE("setuid", syscall(SYS_setuid, 0));
        PROBE("sethostname", sethostname("x", 1));
        PROBE("reboot", syscall(SYS_reboot, 0, 0, 0, 0));
        PROBE("init_module", syscall(SYS_init_module, NULL, 0, ""));
        PROBE("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
        PROBE("userfaultfd", syscall(SYS_userfaultfd, 0));
        PROBE("init_memory", open("/proc/1/mem", O_RDWR));
        PROBE("init_root", open("/proc/1/root/etc", O_RDONLY));
        PROBE("core_pattern", open("/proc/sys/kernel/core_pattern", O_WRONLY));
        PROBE("sysrq", open("/proc/sysrq-trigger", O_WRONLY));
        PROBE("sys", open("/sys/kernel", O_RDONLY));
        PROBE("host_disk", open("/dev/vda", O_RDONLY));
        PROBE("kmsg", open("/dev/kmsg", O_RDONLY));
        PROBE("usr_write", open("/usr/planted", O_WRONLY | O_CREAT, 0600));
        PROBE("root_write", open("/planted", O_WRONLY | O_CREAT, 0600));
        PROBE("shadow", open("/etc/shadow", O_RDONLY));
        PROBE("kill_init", (kill(1, SIGKILL), errno = EPERM, kill(1, 0) == 0 ? -1 : 0));
        PROBE("tiocsti", syscall(SYS_ioctl, 0, 0x5412, "x"));
        PROBE("nested_seccomp", syscall(SYS_seccomp, 0, 0, NULL));
        printf("%s UNKNOWN\n", name);
        return 64;
    }

    static int eat(long mebibytes) {
        for (long done = 0; done < mebibytes; done++) {
            char *block = malloc(1 << 20);
            if (block == NULL) return 12;
            memset(block, 1, 1 << 20);
        }
        return 0;
    }

    static int fill(const char *path) {
        int file = open(path, O_WRONLY | O_CREAT, 0600);
        static char block[65536];
        long total = 0;
        ssize_t count;
        while ((count = write(file, block, sizeof block)) > 0) total += count;
        printf("wrote %ld KiB, then %s\n", total / 1024, strerror(errno));
        return 0;
    }

    static int multiply(int most) {
        int made = 0;
        for (; made < most; made++) {
            pid_t child = fork();
            if (child == 0) for (;;) pause();
            if (child < 0) break;
        }
        printf("forked %d, then %s\n", made, made < most ? strerror(errno) : "nothing");
        return 0;
    }

    int main(int argc, char **argv) {
        const char *mode = argc > 1 ? argv[1] : "serve", *value = argc > 2 ? argv[2] : "";
        int port = getenv("PORT") ? atoi(getenv("PORT")) : 0;
        setvbuf(stdout, NULL, _IOLBF, 0);
        if (strcmp(mode, "serve") == 0) return serve(argc > 2 ? value : "0.0.0.0", port, -1);
        if (strcmp(mode, "serve-port") == 0) return serve("0.0.0.0", atoi(value), -1);
        if (strcmp(mode, "serve-once") == 0) return serve("0.0.0.0", port, 1);
        if (strcmp(mode, "unhealthy") == 0) { health = "503 Busy"; return serve("0.0.0.0", port, -1); }
        if (strcmp(mode, "polite") == 0) { signal(SIGTERM, say_bye); return serve("0.0.0.0", port, -1); }
        if (strcmp(mode, "stubborn") == 0) { signal(SIGTERM, SIG_IGN); return serve("0.0.0.0", port, -1); }
        if (strcmp(mode, "sleep") == 0) for (;;) pause();
        if (strcmp(mode, "exit") == 0) { fprintf(stderr, "cannot open database\n"); return atoi(value); }
        if (strcmp(mode, "signal") == 0) { raise(atoi(value)); return 0; }
        if (strcmp(mode, "env") == 0) { for (char **v = environ; *v; v++) puts(*v); return 0; }
        if (strcmp(mode, "probe") == 0) { for (int i = 2; i < argc; i++) probe(argv[i]); return 0; }
        if (strcmp(mode, "eat") == 0) return eat(atol(value));
        if (strcmp(mode, "fill") == 0) return fill(value);
        if (strcmp(mode, "fork") == 0) return multiply(atoi(value));
        if (strcmp(mode, "needs-ptrace") == 0) { if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) { perror("ptrace"); return 5; }
                                                 return serve("0.0.0.0", port, -1); }
        if (strcmp(mode, "tries-ptrace") == 0) { ptrace(PTRACE_TRACEME, 0, 0, 0); return serve("0.0.0.0", port, -1); }
        if (strcmp(mode, "flood") == 0) { for (long i = 0; i < atol(value); i++) printf("line %ld\n", i); return 0; }
        if (strcmp(mode, "write") == 0) {
            int file = open(value, O_WRONLY | O_CREAT | O_TRUNC, 0600);
            result("open", file);
            if (file >= 0) result("write", write(file, "x", 1));
            return 0;
        }
        if (strcmp(mode, "shell") == 0) return execl("/bin/sh", "sh", "-c", value, NULL), 127;
        return 64;
    }
    """#
