// PacketSocket: one end of a packet connection with the zygote or a runner's init.
internal import CLinux
internal import CZygote
internal import Glibc

/// A packet socket that carries reports and descriptors (CZygote.h).
struct PacketSocket: Sendable {
    let descriptor: Descriptor

    /// A connected pair; sending waits while the other end is far behind, receiving never waits.
    static func pair() throws(SystemError) -> (own: PacketSocket, other: Descriptor) {
        var first: Int32 = -1
        var second: Int32 = -1
        guard clinux_packet_pair(&first, &second) == 0 else { throw SystemError("socketpair") }
        return (PacketSocket(descriptor: Descriptor(owning: first)), Descriptor(owning: second))
    }

    /// What one attempt to read gave.
    enum Received {
        case report(mz_report, [Descriptor])
        /// Nothing to read now.
        case nothing
        /// The other end has closed, or sent what no report is.
        case ended
    }

    func receive() -> Received {
        var report = mz_report()
        var raw = [Int32](repeating: -1, count: Int(MZ_DESCRIPTORS_MAX))
        var count = 0
        let size = mz_receive(descriptor.raw, &report, MemoryLayout<mz_report>.size, &raw, &count, Int32(MSG_DONTWAIT))
        if size < 0, errno == EAGAIN { return .nothing }
        let descriptors = raw.prefix(count).map { Descriptor(owning: $0) }
        guard size == MemoryLayout<mz_report>.size else { return .ended }
        return .report(report, descriptors)
    }

    /// Sends one packet.
    func send(_ bytes: [UInt8], _ descriptors: [Descriptor]) throws(SystemError) {
        let raw = descriptors.map(\.raw)
        guard mz_send(descriptor.raw, bytes, bytes.count, raw, raw.count) == 0 else { throw SystemError("sendmsg") }
    }
}

/// The step of making a sandbox in words: `mount the bundle at /app`.
func stepWords(_ step: Int32) -> String { mz_step_words(step).map { String(cString: $0) } ?? "make the sandbox" }
