// StandardStream: standard output and standard error of the process.

internal import Glibc

/// One of the process's own descriptors, written without a buffer.
struct StandardStream: TextSink {
    static let output = StandardStream(descriptor: STDOUT_FILENO)
    static let errors = StandardStream(descriptor: STDERR_FILENO)

    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                waitUntilWritable()
            } else if errno != EINTR {
                return giveUp(errno)
            }
        }
    }

    var terminalColumns: Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Ends the process, since nobody can be told that the place for telling things is gone.
    ///
    /// A broken pipe ends it as `| head` ends every program, although the process disregards SIGPIPE. A verb inside
    /// another one goes on without its words: a server does not end because nobody reads what it applied.
    private func giveUp(_ code: Int32) {
        guard CommandProgram.depth <= 1 else { return }
        guard code == EPIPE else { exit(CommandExitCode.failure) }
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
    }

    private func waitUntilWritable() {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&request, 1, -1)
    }
}
