// HTTPServer: git's own HTTP server on this machine, with faults on request.
import Glibc
import MeridianContent
import MeridianPorts
import Testing

@testable import MeridianGit

/// Serves the repositories below a directory: `/ok/…` as they are, `/auth/…` with a password, `/cut/…` cutting the pack in
/// the middle, `/hang/…` never answering, `/away/…` redirecting elsewhere.
final class HTTPServer {
    let url: String
    private let pid: pid_t

    static let username = "robot"
    static let password = "s3cret token"

    /// Nil where python3 or git's http-backend is not installed.
    static var isAvailable: Bool {
        executable("python3") != nil && access("/usr/lib/git-core/git-http-backend", X_OK) == 0
    }

    init(serving directory: String) throws {
        let script = "\(directory)/server.py"
        let port = "\(directory)/port"
        try DurableFile.write(Array(Self.program.utf8), to: script)
        let words: [String] = ["/usr/bin/env", "python3", script, directory, port]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        try #require(posix_spawn(&pid, "/usr/bin/env", nil, nil, &arguments, environ) == 0)
        self.pid = pid
        let deadline = ContinuousClock.now + .seconds(20)
        var number = ""
        while number.isEmpty, ContinuousClock.now < deadline {
            number = (try? DurableFile.read(port)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            usleep(10_000)
        }
        url = "http://127.0.0.1:\(number)"
        try #require(!number.isEmpty, "the server did not start")
    }

    deinit {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    private static let program = """
        import base64, http.server, os, subprocess, sys, time
        root, port_file = sys.argv[1:3]
        secret = "Basic " + base64.b64encode(b"robot:s3cret token").decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words): pass
            def do_GET(self): self.answer(b"")
            def do_POST(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                while self.headers.get("Transfer-Encoding") == "chunked":
                    size = int(self.rfile.readline(), 16)
                    body += self.rfile.read(size)
                    self.rfile.readline()
                    if size == 0: break
                self.answer(body)
            def answer(self, body):
                mode, _, rest = self.path[1:].partition("/")
                path, _, query = rest.partition("?")
                if mode == "hang": time.sleep(60)
                if mode == "away":
                    self.send_response(302)
                    self.send_header("Location", "/ok/" + rest)
                    self.end_headers()
                    return
                if mode == "auth" and self.headers.get("Authorization") != secret:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.end_headers()
                    return
                environment = dict(
                    os.environ, GIT_PROJECT_ROOT=root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO="/" + path,
                    QUERY_STRING=query, REQUEST_METHOD=self.command, REMOTE_ADDR="127.0.0.1",
                    CONTENT_TYPE=self.headers.get("Content-Type", ""), CONTENT_LENGTH=str(len(body)),
                    GIT_PROTOCOL=self.headers.get("Git-Protocol", ""),
                    HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
                    GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
                done = subprocess.run(["/usr/lib/git-core/git-http-backend"], input=body, env=environment,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                head, _, content = done.stdout.partition(b"\\r\\n\\r\\n")
                lines = [line.decode().split(": ", 1) for line in head.split(b"\\r\\n")]
                status = next((int(value.split()[0]) for name, value in lines if name == "Status"), 200)
                self.send_response(status)
                for name, value in lines:
                    if name != "Status": self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if mode == "cut" and b"PACK" in content:
                    self.wfile.write(content[: len(content) // 2])
                    self.wfile.flush()
                    self.connection.close()
                    return
                self.wfile.write(content)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        with open(port_file + ".new", "w") as file: file.write(str(server.server_port))
        os.rename(port_file + ".new", port_file)
        server.serve_forever()
        """
}
