// StartPacket: a request to the zygote as bytes (CZygote.h, mz_start).
internal import CZygote

/// What the zygote needs to start one runner, besides descriptors.
struct StartPacket {
    var id: String
    /// The runner's own user and group id.
    var user: UInt32
    var isWritable: Bool
    var reportsDenied: Bool
    var bornInCgroup: Bool
    var scratchBytes: UInt64
    var scratchInodes: UInt64
    /// RLIMIT_DATA; 0 where a cgroup counts memory.
    var dataBytes: UInt64
    /// RLIMIT_NPROC; 0 where a cgroup counts processes.
    var processes: UInt32
    /// RLIMIT_NOFILE.
    var descriptors: UInt32
    var filter: SyscallFilter
    /// The path inside the sandbox.
    var program: String
    /// From `argv[0]` on.
    var arguments: [String]
    /// `NAME=VALUE`, sorted.
    var environment: [String]

    /// The packet; nil where it would exceed what one packet carries, or a text holds a NUL.
    func encoded() -> [UInt8]? {
        let texts = [program] + arguments + environment
        guard texts.allSatisfy({ !$0.utf8.contains(0) }), id.utf8.count < Int(MZ_ID_BYTES) else { return nil }
        let text: [UInt8] = texts.flatMap { text -> [UInt8] in Array(text.utf8) + [0] }
        var header = mz_start()
        header.kind = MZ_START.rawValue
        header.flags =
            (isWritable ? MZ_WRITABLE.rawValue : 0) | (reportsDenied ? MZ_NOTIFY.rawValue : 0)
            | (bornInCgroup ? MZ_CGROUP2.rawValue : 0)
        header.uid = user
        header.gid = user
        header.scratch_bytes = scratchBytes
        header.scratch_inodes = scratchInodes
        header.data_bytes = dataBytes
        header.processes = processes
        header.descriptors = descriptors
        header.argument_count = UInt32(arguments.count)
        header.environment_count = UInt32(environment.count)
        header.filter_count = UInt32(filter.instructionCount)
        header.text_bytes = UInt32(text.count)
        withUnsafeMutableBytes(of: &header.id) { $0.copyBytes(from: Array(id.utf8)) }
        let packet = withUnsafeBytes(of: header) { Array($0) } + filter.code + text
        return packet.count <= Int(MZ_PACKET_BYTES_MAX) ? packet : nil
    }
}
