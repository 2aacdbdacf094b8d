// CgroupTree: where this node's runners have their cgroups, and the sweep of what a dead node left there.
internal import CZygote
internal import Glibc

/// The cgroup hierarchies that count and limit runners, and the node's own directory inside them.
///
/// The directory lies below the node's own cgroup where that can be, so that limits set on the node hold for its runners
/// too.
struct CgroupTree: Sendable {
    /// One hierarchy.
    struct Hierarchy: Sendable, Equatable {
        /// What it controls: one controller on v1, all on v2.
        let controllers: [String]
        /// The cgroup in it that holds the node's directory, absolute.
        let base: String
    }

    /// The cgroup interface in use.
    enum Version: String, Sendable {
        case v1, v2, none
    }

    let version: Version
    /// In the order of `controllersWanted`; empty for `.none`.
    let hierarchies: [Hierarchy]
    /// The node's directory in each hierarchy: `meridian-` and sixteen hexadecimal digits of its data directory's hash.
    let parent: String
    /// The hash in `parent`: tells nodes of one machine apart.
    let parentHash: UInt64
    /// Why there is no cgroup, for people; empty where there is.
    let trouble: String
    let files: any CgroupFiles

    /// What runners are limited by; the freezer is for pausing.
    static let controllersWanted = ["memory", "cpu", "pids", "freezer"]

    /// Finds the machine's hierarchies, makes the node's directory in them and sweeps what a dead node left there.
    ///
    /// Never fails: a machine without usable cgroups gives `.none` and the reason.
    static func prepare(dataDirectory: String, files: any CgroupFiles = KernelCgroupFiles()) -> CgroupTree {
        do throws(SystemError) {
            return prepare(try CgroupMounts.read(files), dataDirectory: dataDirectory)
        } catch {
            return CgroupTree(.init(version: .none, hierarchies: []), dataDirectory, "\(error)", files)
        }
    }

    /// The same where the machine's tables have been read.
    static func prepare(_ mounts: CgroupMounts, dataDirectory: String) -> CgroupTree {
        let found = mounts.find()
        let none = CgroupMounts.Found(version: .none, hierarchies: [])
        guard found.version != .none else {
            let trouble = "neither cgroup v2 with delegated controllers nor v1"
            return CgroupTree(none, dataDirectory, trouble, mounts.files)
        }
        let tree = CgroupTree(found, dataDirectory, "", mounts.files)
        tree.sweep()
        do throws(SystemError) {
            for directory in tree.directories { try tree.makeParent(directory) }
            return tree
        } catch {
            return CgroupTree(none, dataDirectory, "\(error)", mounts.files)
        }
    }

    private init(_ found: CgroupMounts.Found, _ dataDirectory: String, _ trouble: String, _ files: any CgroupFiles) {
        version = found.version
        hierarchies = found.hierarchies
        parentHash = Self.hash(dataDirectory)
        parent = "meridian-" + Self.hexadecimal(parentHash)
        self.trouble = trouble
        self.files = files
    }

    private func makeParent(_ directory: String) throws(SystemError) {
        do throws(SystemError) {
            try files.make(directory)
        } catch {
            // There already: the sweep could not remove it, and an empty one serves.
            guard error.code == EEXIST else { throw error }
        }
        if version == .v2 { try UnifiedGroup.delegate(from: directory, files) }
    }

    /// The node's directory in each hierarchy.
    var directories: [String] { hierarchies.map { "\($0.base)/\(parent)" } }

    /// Whether a cgroup counts `controller`.
    func has(_ controller: String) -> Bool { hierarchies.contains { $0.controllers.contains(controller) } }

    /// In words for a node's report: `v1: memory cpu pids freezer`, or what is missing.
    var words: String {
        switch version {
        case .none: "none: memory and processor time are NOT limited per runner (\(trouble))"
        case .v1, .v2: "\(version.rawValue): " + hierarchies.flatMap(\.controllers).joined(separator: " ")
        }
    }

    /// Kills what is left in the node's directories and removes them with the groups inside; blocks for moments.
    func sweep() {
        for directory in directories {
            // A directory that cannot be listed is gone or not ours; making it anew reports the rest.
            for name in (try? files.groups(in: directory)) ?? [] {
                RunnerCgroup.sweep("\(directory)/\(name)", files)
            }
            // Busy where a group in it would not go: the next sweep tries again.
            try? files.remove(directory)
        }
    }

    /// The first packet to the zygote, which removes the directories when the node has died.
    func helloPacket() -> [UInt8] {
        var hello = mz_hello()
        hello.kind = MZ_HELLO.rawValue
        hello.hierarchies = UInt32(hierarchies.count)
        withUnsafeMutableBytes(of: &hello.parent) { $0.copyBytes(from: Array(parent.utf8)) }
        return withUnsafeBytes(of: hello) { Array($0) }
    }

    /// Descriptors of the directories that hold the node's, for that packet.
    func openBases() throws(SystemError) -> [Descriptor] {
        var bases: [Descriptor] = []
        for hierarchy in hierarchies { bases.append(try Descriptor.open(hierarchy.base, O_RDONLY | O_DIRECTORY)) }
        return bases
    }

    /// FNV-1a: stable across starts, which is all that is asked of it.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
