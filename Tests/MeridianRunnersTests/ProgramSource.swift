// ProgramSource: the program that the tests run in sandboxes, in C, one mode per question.

/// Compiled once per test run with `probeSource` behind it; `argv[1]` picks the mode.
let programSource = #"""
    #define _GNU_SOURCE
    #include <arpa/inet.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <pthread.h>
    #include <sched.h>
    #include <signal.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mount.h>
    #include <sys/prctl.h>
    #include <sys/ptrace.h>
    #include <sys/reboot.h>
    #include <sys/resource.h>
    #include <sys/socket.h>
    #include <sys/stat.h>
    #include <sys/syscall.h>
    #include <sys/sysmacros.h>
    #include <sys/uio.h>
    #include <sys/wait.h>
    #include <time.h>
    #include <unistd.h>

    extern char **environ;
    static const char *health = "200 OK";

    static void say_bye(int number) { (void)number; (void)!write(1, "bye\n", 4); _exit(0); }

    static void try_ptrace(int number) {
        (void)number;
        long answer = ptrace(PTRACE_TRACEME, 0, 0, 0);
        const char *line = answer == -1 && errno == EPERM ? "denied\n" : "allowed\n";
        (void)!write(1, line, strlen(line));
        _exit(0);
    }

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

    static int result(const char *name, long value);
    static int probe(const char *name);
    static int control(const char *name);

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

    // Opens until it must not: 0 files in /tmp, 1 descriptors; what it opened stays.
    static int open_many(int kind, long most) {
        long made = 0;
        for (; made < most; made++) {
            char path[64];
            snprintf(path, sizeof path, "/tmp/%ld", made);
            int file = kind == 0 ? open(path, O_WRONLY | O_CREAT, 0600) : dup(1);
            if (file < 0) break;
            if (kind == 0) close(file);
        }
        printf("opened %ld, then %s\n", made, made < most ? strerror(errno) : "nothing");
        return 0;
    }

    static void *wait_forever(void *nothing) { for (;;) pause(); return nothing; }

    static int thread_many(int most) {
        int made = 0, error = 0;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 65536);
        for (; made < most; made++) {
            pthread_t thread;
            if ((error = pthread_create(&thread, &attributes, wait_forever, NULL)) != 0) break;
        }
        printf("threads %d, then %s\n", made, error ? strerror(error) : "nothing");
        return 0;
    }

    // Spins in two processes for so long by the clock; says how much processor time they got of it, in percent.
    static int spin(long milliseconds) {
        struct timespec begin, now;
        struct rusage own, other;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        pid_t child = fork();
        do clock_gettime(CLOCK_MONOTONIC, &now);
        while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < milliseconds);
        if (child == 0) _exit(0);
        wait(NULL);
        getrusage(RUSAGE_SELF, &own);
        getrusage(RUSAGE_CHILDREN, &other);
        double used = own.ru_utime.tv_sec + other.ru_utime.tv_sec + own.ru_stime.tv_sec + other.ru_stime.tv_sec
                      + (own.ru_utime.tv_usec + other.ru_utime.tv_usec + own.ru_stime.tv_usec + other.ru_stime.tv_usec) / 1e6;
        printf("%d\n", (int)(used * 100000 / milliseconds));
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
        if (strcmp(mode, "probe-later") == 0) {
            sigset_t wake;
            int number;
            sigemptyset(&wake);
            sigaddset(&wake, SIGTERM);
            sigprocmask(SIG_BLOCK, &wake, NULL);
            puts("waiting");
            sigwait(&wake, &number);
            sigprocmask(SIG_UNBLOCK, &wake, NULL);
            mode = "probe";
        }
        if (strcmp(mode, "probe") == 0) { for (int i = 2; i < argc; i++) probe(argv[i]); return 0; }
        if (strcmp(mode, "control") == 0) return control(value);
        if (strcmp(mode, "eat") == 0) return eat(atol(value));
        if (strcmp(mode, "fill") == 0) return fill(value);
        if (strcmp(mode, "inodes") == 0) return open_many(0, atol(value));
        if (strcmp(mode, "descriptors") == 0) return open_many(1, atol(value));
        if (strcmp(mode, "threads") == 0) return thread_many(atoi(value));
        if (strcmp(mode, "spin") == 0) return spin(atol(value));
        if (strcmp(mode, "fork") == 0) return multiply(atoi(value));
        if (strcmp(mode, "needs-ptrace") == 0) { if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) { perror("ptrace"); return 5; }
                                                 return serve("0.0.0.0", port, -1); }
        if (strcmp(mode, "tries-ptrace") == 0) { ptrace(PTRACE_TRACEME, 0, 0, 0); return serve("0.0.0.0", port, -1); }
        if (strcmp(mode, "deny") == 0) {
            long failed = 0, most = atol(value);
            for (long i = 0; i < most; i++) failed += ptrace(PTRACE_TRACEME, 0, 0, 0) == -1 && errno == EPERM;
            printf("failed %ld of %ld\n", failed, most);
            return 0;
        }
        if (strcmp(mode, "deny-forever") == 0) {
            puts("denying");
            for (;;) ptrace(PTRACE_TRACEME, 0, 0, 0);
        }
        if (strcmp(mode, "deny-later") == 0) {
            signal(SIGTERM, try_ptrace);
            puts("waiting");
            for (;;) pause();
        }
        if (strcmp(mode, "deny-as-child") == 0) {
            pid_t child = fork();
            if (child == 0) _exit(ptrace(PTRACE_TRACEME, 0, 0, 0) == -1 ? errno : 0);
            int status = 0;
            waitpid(child, &status, 0);
            printf("child met %s\n", strerror(WEXITSTATUS(status)));
            return 0;
        }
        if (strcmp(mode, "number") == 0) {
            long answer = syscall(atol(value), 0, 0, 0, 0, 0, 0);
            printf("%s: %s\n", value, answer < 0 ? strerror(errno) : "done");
            return 0;
        }
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
