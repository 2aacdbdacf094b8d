// ModelCgroups: a cgroup v2 file system in memory that keeps the kernel's rules, for machines that are not at hand.
import Glibc
import Synchronization

@testable import MeridianRunners

/// The rules of cgroup-v2 (the kernel's admin guide): controllers come from above, no processes beside handed-down
/// controllers but in the root, no removal of what is populated, `cgroup.kill`.
final class ModelCgroups: CgroupFiles {
    private struct Group {
        var offered: [String]
        var handedDown: [String] = []
        var members: [String] = []
        var files: [String: String] = [:]
        var isDelegated = false
    }

    private struct State {
        var groups: [String: Group]
        var killed: [String] = []
        var refused: Set<String> = []
    }

    private static let root = "/v2"
    private let isRealRoot: Bool
    private let state: Mutex<State>

    init(controllers: [String], isRealRoot: Bool = true) {
        self.isRealRoot = isRealRoot
        state = Mutex(State(groups: [Self.root: Group(offered: controllers)]))
    }

    // MARK: What tests see and do

    var killed: [String] { state.withLock { $0.killed } }

    func members(of group: String) -> [String] { state.withLock { $0.groups[group]?.members ?? [] } }

    func delegate(_ group: String) { state.withLock { $0.groups[group]?.isDelegated = true } }

    func set(_ text: String, at path: String) {
        let (group, file) = Self.split(path)
        state.withLock { $0.groups[group]?.files[file] = text }
    }

    /// From now on writes to files of this name fail with EINVAL.
    func refuse(_ file: String) { state.withLock { _ = $0.refused.insert(file) } }

    func end(_ pid: String) {
        state.withLock { state in
            for name in state.groups.keys { state.groups[name]?.members.removeAll { $0 == pid } }
        }
    }

    // MARK: The kernel

    func read(_ path: String) throws(SystemError) -> String {
        let (name, file) = Self.split(path)
        guard let group = state.withLock({ $0.groups[name] }) else { throw SystemError("open \(path)", code: ENOENT) }
        switch file {
        case "cgroup.controllers": return group.offered.joined(separator: " ") + "\n"
        case "cgroup.subtree_control": return group.handedDown.sorted().joined(separator: " ") + "\n"
        case "cgroup.procs": return group.members.map { "\($0)\n" }.joined()
        default:
            guard let text = group.files[file] else { throw SystemError("open \(path)", code: ENOENT) }
            return text
        }
    }

    func write(_ value: String, to path: String) throws(SystemError) {
        let (name, file) = Self.split(path)
        let code = state.withLock { state in
            guard state.groups[name] != nil else { return ENOENT }
            if state.refused.contains(file) { return EINVAL }
            switch file {
            case "cgroup.subtree_control": return handDown(value, name, &state)
            case "cgroup.procs": return move(value, name, &state)
            case "cgroup.kill":
                state.killed += state.groups[name]?.members ?? []
                state.groups[name]?.members = []
                return 0
            default:
                guard state.groups[name]?.files[file] != nil else { return ENOENT }
                state.groups[name]?.files[file] = value
                return 0
            }
        }
        guard code == 0 else { throw SystemError("write \(value) to \(path)", code: code) }
    }

    private func isRoot(_ name: String) -> Bool { name == Self.root && isRealRoot }

    private func handDown(_ value: String, _ name: String, _ state: inout State) -> Int32 {
        guard var group = state.groups[name] else { return ENOENT }
        let wanted = value.split(separator: " ").map { String($0.dropFirst()) }
        guard Set(wanted).isSubset(of: group.offered) else { return ENOENT }
        guard isRoot(name) || group.members.isEmpty else { return EBUSY }
        group.handedDown = Array(Set(group.handedDown).union(wanted))
        state.groups[name] = group
        return 0
    }

    private func move(_ pid: String, _ name: String, _ state: inout State) -> Int32 {
        guard let group = state.groups[name] else { return ENOENT }
        guard isRoot(name) || group.handedDown.isEmpty else { return EBUSY }
        for other in state.groups.keys { state.groups[other]?.members.removeAll { $0 == pid } }
        state.groups[name]?.members.append(pid)
        return 0
    }

    func make(_ directory: String) throws(SystemError) {
        let (above, _) = Self.split(directory)
        let code = state.withLock { state in
            guard let parent = state.groups[above] else { return ENOENT }
            guard state.groups[directory] == nil else { return EEXIST }
            let files = [
                "memory": ["memory.max", "memory.swap.max", "memory.events"], "cpu": ["cpu.max"], "pids": ["pids.max"],
            ]
            var group = Group(offered: parent.handedDown)
            for file in parent.handedDown.flatMap({ files[$0] ?? [] }) { group.files[file] = "max" }
            state.groups[directory] = group
            return 0
        }
        guard code == 0 else { throw SystemError("make \(directory)", code: code) }
    }

    func remove(_ directory: String) throws(SystemError) {
        let code = state.withLock { state in
            guard let group = state.groups[directory] else { return ENOENT }
            let isInUse = !group.members.isEmpty || state.groups.keys.contains { $0.hasPrefix(directory + "/") }
            if isInUse { return EBUSY }
            state.groups[directory] = nil
            return 0
        }
        guard code == 0 else { throw SystemError("remove \(directory)", code: code) }
    }

    func groups(in directory: String) throws(SystemError) -> [String] {
        let names = state.withLock { state in state.groups.keys.filter { Self.split($0).group == directory } }
        return names.map { Self.split($0).file }.sorted()
    }

    func isDelegated(_ directory: String) -> Bool { state.withLock { $0.groups[directory]?.isDelegated ?? false } }

    func killMembers(of directory: String) {
        // `cgroup.kill` is always there.
    }

    private static func split(_ path: String) -> (group: String, file: String) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}
