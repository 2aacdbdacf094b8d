// MemoryGroup: the control group that limits a build's memory and number of processes.
internal import Glibc

/// The cgroups of one build: v2 where its memory controller is there, else v1, else none.
struct MemoryGroup {
    /// Compilers start a few processes per core; a fork bomb ends here.
    static let processesMax = 2048

    /// The directories whose `cgroup.procs` the box writes itself to; empty where no memory controller is to be had.
    let paths: [String]
    /// The directory with the memory accounts.
    private let memory: String?
    private let isVersion2: Bool

    /// Makes the groups with their limits; `limit` is in bytes.
    ///
    /// `name` is one path component, unique on the machine among groups that exist at the same time.
    static func make(name: String, limit: Int64, root: String = "/sys/fs/cgroup") -> MemoryGroup {
        version2(name: name, limit: limit, root: root) ?? version1(name: name, limit: limit, root: root)
            ?? MemoryGroup(paths: [], memory: nil, isVersion2: false)
    }

    /// Whether memory is limited at all.
    var isEnforced: Bool { memory != nil }

    /// Whether the kernel killed a process of the build for want of memory.
    func wasOutOfMemory() -> Bool {
        guard let memory else { return false }
        let file = isVersion2 ? "memory.events" : "memory.oom_control"
        let kills = read("\(memory)/\(file)").split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
        return kills.map { !$0.hasSuffix(" 0") } ?? false
    }

    /// Removes the groups, which are empty once the box has ended.
    func remove() {
        for path in paths { rmdir(path) }
    }

    private static func version2(name: String, limit: Int64, root: String) -> MemoryGroup? {
        guard read("\(root)/cgroup.controllers").split(whereSeparator: \.isWhitespace).contains("memory") else {
            return nil
        }
        // Fails harmlessly where the controllers are on already or the root holds processes; the check below decides.
        _ = write("+memory +pids", to: "\(root)/cgroup.subtree_control")
        let path = "\(root)/\(name)"
        rmdir(path)
        guard mkdir(path, 0o755) == 0, write(String(limit), to: "\(path)/memory.max") else {
            rmdir(path)
            return nil
        }
        _ = write("0", to: "\(path)/memory.swap.max")
        _ = write(String(processesMax), to: "\(path)/pids.max")
        return MemoryGroup(paths: [path], memory: path, isVersion2: true)
    }

    private static func version1(name: String, limit: Int64, root: String) -> MemoryGroup? {
        let memory = "\(root)/memory/\(name)"
        rmdir(memory)
        guard mkdir(memory, 0o755) == 0, write(String(limit), to: "\(memory)/memory.limit_in_bytes") else {
            rmdir(memory)
            return nil
        }
        // Missing where the kernel does not account swap.
        _ = write(String(limit), to: "\(memory)/memory.memsw.limit_in_bytes")
        var paths = [memory]
        let pids = "\(root)/pids/\(name)"
        rmdir(pids)
        if mkdir(pids, 0o755) == 0, write(String(processesMax), to: "\(pids)/pids.max") { paths.append(pids) }
        return MemoryGroup(paths: paths, memory: memory, isVersion2: false)
    }

    private static func write(_ text: String, to path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count
    }
}

/// The text of a small kernel file; empty where it cannot be read.
private func read(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    // The files of a cgroup are far shorter than a page.
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(descriptor, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
}
