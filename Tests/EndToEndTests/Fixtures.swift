// Fixtures: a small C server and manifests around it.
import Foundation

/// Sources that the tests build.
enum Fixtures {
    /// A directory with `server/main.c`, a threaded server that answers with `WORD` from its environment and its secret's
    /// length, waits as many milliseconds as `/sleep/N` says, and for `/keyctl` makes that syscall and says its errno.
    static func serverDirectory(word: String = "") throws -> ScratchDirectory {
        let directory = try ScratchDirectory()
        let source = directory.path + "/server"
        try FileManager.default.createDirectory(atPath: source, withIntermediateDirectories: true)
        try serverSource.replacingOccurrences(of: "SOURCE_WORD", with: "\"\(word)\"")
            .write(toFile: source + "/main.c", atomically: true, encoding: .utf8)
        return directory
    }

    /// An App of the server, with further lines for its spec.
    static func app(_ name: String, _ lines: String = "") -> String {
        """
        apiVersion: meridian.dev/v1
        kind: App
        metadata: {name: \(name)}
        spec:
          source: {path: ./server}
          build: {preset: c}
          resources: {memory: 64Mi, pids: 128}
        \(lines.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))

        """
    }

    /// An allowlist `pupil` of all groups and ptrace.
    static let loosened = """
        apiVersion: meridian.dev/v1
        kind: SyscallAllowlist
        metadata: {name: pupil}
        spec: {groups: [process, memory, signals, time, io, files, net], allow: [ptrace]}

        """

    private static let serverSource = #"""
        #include <arpa/inet.h>
        #include <errno.h>
        #include <pthread.h>
        #include <signal.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <strings.h>
        #include <sys/syscall.h>
        #include <unistd.h>

        static void *serve(void *argument) {
            int connection = (int)(long)argument;
            char buffer[8192];
            size_t used = 0;
            for (;;) {
                ssize_t count = read(connection, buffer + used, sizeof buffer - 1 - used);
                if (count <= 0) break;
                used += (size_t)count;
                buffer[used] = 0;
                char *end;
                while ((end = strstr(buffer, "\r\n\r\n"))) {
                    int wait = 0;
                    if (sscanf(buffer, "GET /sleep/%d", &wait) == 1) usleep((useconds_t)wait * 1000);
                    int met = 0;
                    if (strncmp(buffer, "GET /keyctl ", 12) == 0 && syscall(SYS_keyctl, 0, 0, 0, 0, 0) < 0) met = errno;
                    const char *word = getenv("WORD"), *secret = getenv("TOKEN");
                    char body[512], answer[1024];
                    int length = snprintf(body, sizeof body, "word=%s source=%s secret=%zu keyctl=%d\n", word ? word : "", SOURCE_WORD,
                                          secret ? strlen(secret) : 0, met);
                    int total = snprintf(answer, sizeof answer,
                                         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", length, body);
                    if (write(connection, answer, (size_t)total) != total) goto out;
                    used -= (size_t)(end + 4 - buffer);
                    memmove(buffer, end + 4, used + 1);
                }
            }
        out:
            close(connection);
            return NULL;
        }

        int main(void) {
            signal(SIGPIPE, SIG_IGN);
            int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
            setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
            struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(getenv("PORT")))};
            if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 512)) return 1;
            printf("listening with word=%s\n", getenv("WORD") ? getenv("WORD") : "");
            fflush(stdout);
            pthread_attr_t attributes;
            pthread_attr_init(&attributes);
            pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
            pthread_attr_setstacksize(&attributes, 65536);
            for (;;) {
                int connection = accept(listener, NULL, NULL);
                if (connection < 0) continue;
                pthread_t thread;
                if (pthread_create(&thread, &attributes, serve, (void *)(long)connection)) close(connection);
            }
        }
        """#
}
