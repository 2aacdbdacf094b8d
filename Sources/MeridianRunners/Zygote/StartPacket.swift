// StartPacket: the requests to the zygote and to its shells as bytes (CZygote.h).
internal import CZygote

/// What the zygote needs to make a shell, besides descriptors (mz_park).
struct ParkPacket {
    /// Names its cgroups; shorter than MZ_ID_BYTES.
    var name: String
    /// The own user and group id of the shell's runner.
    var user: UInt32
    var isWritable: Bool
    var bornInCgroup: Bool
    var scratchBytes: UInt64
    var scratchInodes: UInt64
    /// RLIMIT_DATA; 0 where a cgroup counts memory.
    var dataBytes: UInt64
    /// RLIMIT_NPROC; 0 where a cgroup counts processes.
    var processes: UInt32
    /// RLIMIT_NOFILE.
    var descriptors: UInt32

    func encoded() -> [UInt8] {
        var packet = mz_park()
        packet.kind = MZ_PARK.rawValue
        packet.flags = (isWritable ? MZ_WRITABLE.rawValue : 0) | (bornInCgroup ? MZ_CGROUP2.rawValue : 0)
        packet.uid = user
        packet.gid = user
        packet.scratch_bytes = scratchBytes
        packet.scratch_inodes = scratchInodes
        packet.data_bytes = dataBytes
        packet.processes = processes
        packet.descriptors = descriptors
        withUnsafeMutableBytes(of: &packet.id) { $0.copyBytes(from: name.utf8) }
        return withUnsafeBytes(of: packet) { Array($0) }
    }
}

/// What a shell needs to run its program, besides descriptors (mz_start).
struct StartPacket {
    /// The runner's, which becomes the host name.
    var id: String
    /// What init does with denied calls; nil where the filter itself answers them.
    var answers: DeniedAnswers?
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
        var header = mz_start()
        header.kind = MZ_START.rawValue
        header.flags = answers == nil ? 0 : MZ_TELL.rawValue
        if let answers { withUnsafeMutableBytes(of: &header.answers) { $0.copyBytes(from: answers.bytes) } }
        header.argument_count = UInt32(arguments.count)
        header.environment_count = UInt32(environment.count)
        header.filter_count = UInt32(filter.instructionCount)
        header.text_bytes = UInt32(texts.reduce(0) { $0 + $1.utf8.count + 1 })
        withUnsafeMutableBytes(of: &header.id) { $0.copyBytes(from: id.utf8) }
        var packet = withUnsafeBytes(of: header) { Array($0) }
        packet.reserveCapacity(packet.count + filter.code.count + Int(header.text_bytes))
        packet += filter.code
        for text in texts {
            packet += text.utf8
            packet.append(0)
        }
        return packet.count <= Int(MZ_PACKET_BYTES_MAX) ? packet : nil
    }
}
