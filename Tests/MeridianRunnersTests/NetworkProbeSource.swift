// NetworkProbeSource: steps against the network and the limits of a sandbox, in C.

/// Stands before `probeSource`, which asks `try_network` for the steps that it does not have itself.
let networkProbeSource = #"""
    #include <net/if.h>
    #include <netinet/ip.h>
    #include <stddef.h>
    #include <sys/ioctl.h>
    #include <sys/un.h>

    static long option(int level, int name, int value) {
        int made = socket(AF_INET, SOCK_DGRAM, 0);
        return made < 0 ? -1 : setsockopt(made, level, name, &value, sizeof value);
    }

    static long bind_port(int port) {
        int made = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
        return made < 0 ? -1 : bind(made, (void *)&name, sizeof name);
    }

    static long lower_loopback(void) {
        struct ifreq request = {.ifr_name = "lo", .ifr_flags = 0};
        return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &request);
    }

    static long address_loopback(void) {
        struct ifreq request = {.ifr_name = "lo"};
        struct sockaddr_in *address = (void *)&request.ifr_addr;
        address->sin_family = AF_INET;
        inet_pton(AF_INET, "10.9.8.7", &address->sin_addr);
        return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFADDR, &request);
    }

    // Connecting a datagram socket sends nothing; it needs a route.
    static long route_to(const char *text) {
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(80)};
        inet_pton(AF_INET, text, &name.sin_addr);
        int made = socket(AF_INET, SOCK_DGRAM, 0);
        return made < 0 ? -1 : connect(made, (void *)&name, sizeof name);
    }

    static long connect_abstract(const char *text) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        strcpy(name.sun_path + 1, text);
        int made = socket(AF_UNIX, SOCK_STREAM, 0);
        return made < 0 ? -1 : connect(made, (void *)&name, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(text));
    }

    // More than a sandbox may have of something; each has the default limits of an app.
    static long fork_more(int count) {
        pid_t children[256];
        int made = 0;
        while (made < count && (children[made] = fork()) > 0) made++;
        if (made < count && children[made] == 0) { pause(); _exit(0); }
        int error = errno;
        for (int i = 0; i < made; i++) { kill(children[i], SIGKILL); waitpid(children[i], NULL, 0); }
        errno = error;
        return made == count ? 0 : -1;
    }

    static long touch_memory(long mebibytes) {
        for (long done = 0; done < mebibytes; done++) {
            volatile char *block = malloc(1 << 20);
            if (block == NULL) return -1;
            for (int i = 0; i < 1 << 20; i += 4096) block[i] = 1;
        }
        return 0;
    }

    static long fill_tmp(long mebibytes) {
        static char block[1 << 20];
        int file = open("/tmp/filler", O_RDWR | O_CREAT, 0600);
        long answer = file < 0 ? -1 : 0;
        for (long done = 0; answer == 0 && done < mebibytes; done++) if (write(file, block, sizeof block) < 0) answer = -1;
        int error = errno;
        unlink("/tmp/filler");
        errno = error;
        return answer;
    }

    static long make_files(int count) {
        char path[64];
        int made = 0;
        mkdir("/tmp/many", 0700);
        for (; made < count; made++) {
            sprintf(path, "/tmp/many/%d", made);
            int file = open(path, O_RDWR | O_CREAT, 0600);
            if (file < 0) break;
            close(file);
        }
        int error = errno;
        for (int i = 0; i < made; i++) { sprintf(path, "/tmp/many/%d", i); unlink(path); }
        errno = error;
        return made == count ? 0 : -1;
    }

    static int try_network(const char *name) {
        STEP("raw_socket_6", socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
        STEP("audit_socket", socket(AF_NETLINK, SOCK_RAW, 9));
        STEP("netfilter_socket", socket(AF_NETLINK, SOCK_RAW, 12));
        STEP("crypto_socket", socket(38, SOCK_SEQPACKET, 0));
        STEP("machine_socket", socket(40, SOCK_STREAM, 0));
        STEP("express_socket", socket(44, SOCK_RAW, 0));
        STEP("low_port", bind_port(80));
        STEP("lower_loopback", lower_loopback());
        STEP("address_loopback", address_loopback());
        STEP("mark", option(SOL_SOCKET, SO_MARK, 7));
        STEP("force_buffer", option(SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20));
        STEP("transparent", option(IPPROTO_IP, IP_TRANSPARENT, 1));
        STEP("host_route", route_to("192.0.2.1"));
        STEP("host_metadata", route_to("169.254.169.254"));
        STEP("fork_bomb", fork_more(200));
        STEP("memory_bomb", touch_memory(300));
        STEP("tmp_bomb", fill_tmp(80));
        STEP("inode_bomb", make_files(6000));
        if (strncmp(name, "host_abstract:", 14) == 0) return result("host_abstract", connect_abstract(name + 14));
        return -1;
    }
    """#
