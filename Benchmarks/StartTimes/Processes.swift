// Processes: servers started bare, by bubblewrap and by crun.
import CLinux
import Glibc
import MeridianRunners

/// A started process of ours.
struct Process {
    let pid: Int32

    /// posix_spawn, which is clone(VM|VFORK) and exec in the C library.
    static func spawn(_ arguments: [String], environment: [String], keeping files: [Int32] = []) throws(BenchError)
        -> Process
    {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (index, file) in files.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, file, Int32(3 + index))
        }
        var raw: [UnsafeMutablePointer<CChar>?] = []
        for argument in arguments { raw.append(strdup(argument)) }
        var variables: [UnsafeMutablePointer<CChar>?] = []
        for variable in environment { variables.append(strdup(variable)) }
        defer { for pointer in raw + variables { free(pointer) } }
        raw.append(nil)
        variables.append(nil)
        var pid: Int32 = 0
        let code = posix_spawn(&pid, arguments[0], &actions, nil, &raw, &variables)
        guard code == 0 else { throw BenchError("\(arguments[0]): error \(code)") }
        return Process(pid: pid)
    }

    func wait() {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    func end() {
        kill(pid, SIGKILL)
        wait()
    }
}

/// A network namespace of another process, and the own one.
struct ForeignNetwork {
    private let foreign: Int32
    private let own: Int32

    init?(ofProcess pid: Int32, own: Int32) {
        foreign = open("/proc/\(pid)/ns/net", O_RDONLY | O_CLOEXEC)
        self.own = own
        guard foreign >= 0 else { return nil }
    }

    func socket() -> Int32? {
        let made = clinux_socket_in_namespace(foreign, own)
        return made < 0 ? nil : made
    }

    func close() { _ = Glibc.close(foreign) }
}

/// bubblewrap with the namespaces, mounts and filter that our sandboxes have.
struct Bubblewrap {
    let bundle: String
    let filter: Int32
    let ownNetwork: Int32

    func measure(_ port: UInt16) throws(BenchError) -> Int64 {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw BenchError("pipe: \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        lseek(filter, 0, SEEK_SET)
        let begin = nanoseconds()
        let process = try Process.spawn(
            [
                "/usr/bin/bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink",
                "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs",
                "/tmp", "--ro-bind", bundle, "/app", "--chdir", "/app", "--clearenv", "--setenv", "PORT", "\(port)",
                "--info-fd", "3", "--seccomp", "4", "--", "/app/server",
            ],
            environment: [],
            keeping: [ends[1], filter]
        )
        close(ends[1])
        defer { process.end() }
        var text = [UInt8](repeating: 0, count: 4096)
        let count = read(ends[0], &text, text.count)
        let digits = text.prefix(max(0, count)).drop { !(48...57).contains($0) }.prefix { (48...57).contains($0) }
        guard let child = Int32(String(decoding: digits, as: UTF8.self)),
            let network = ForeignNetwork(ofProcess: child, own: ownNetwork)
        else { throw BenchError("bwrap did not tell its child") }
        defer { network.close() }
        try Asking.untilAnswered(port) { network.socket() }
        return nanoseconds() - begin
    }
}

/// crun with an OCI bundle that has the namespaces, limits, mounts and filter that our sandboxes have.
struct Crun {
    let directory: String
    let ownNetwork: Int32

    func measure(_ port: UInt16, id: String) throws(BenchError) -> Int64 {
        let pidFile = "\(directory)/pid"
        unlink(pidFile)
        let begin = nanoseconds()
        let process = try Process.spawn(
            [
                "/usr/bin/crun", "--root", "\(directory)/state", "--cgroup-manager=cgroupfs", "run", "--bundle",
                directory, "--pid-file", pidFile, id,
            ],
            environment: ["PATH=/usr/bin:/bin"]
        )
        var child: Int32?
        while child == nil, nanoseconds() - begin < 10_000_000_000 {
            child = Self.number(pidFile)
            if child == nil { usleep(100) }
        }
        guard let child, let network = ForeignNetwork(ofProcess: child, own: ownNetwork) else {
            process.end()
            throw BenchError("crun started nothing")
        }
        defer {
            network.close()
            kill(child, SIGKILL)
            process.wait()
        }
        try Asking.untilAnswered(port) { network.socket() }
        return nanoseconds() - begin
    }

    private static func number(_ path: String) -> Int32? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 32)
        let count = read(file, &text, text.count)
        return Int32(String(decoding: text.prefix(max(0, count)), as: UTF8.self))
    }
}
