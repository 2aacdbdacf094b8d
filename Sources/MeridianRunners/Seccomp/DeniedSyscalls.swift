// DeniedSyscalls: answers the calls that a reporting filter stops, and remembers their names.
internal import CSeccomp
internal import Glibc
internal import Synchronization

/// The listener's side of a filter with `.report`: every denied call is answered with an error, never let through.
final class DeniedSyscalls: Sendable {
    /// Calls answered per wake-up, so that a program in a loop of them does not hold the event loop.
    private static let callsPerTurnMax = 64

    private let names = Mutex<Set<String>>([])

    /// The names seen so far, sorted.
    var seen: [String] { names.withLock { $0.sorted() } }

    /// Answers what waits on `listener`; false where the listener's program has ended.
    func answer(_ listener: Descriptor) -> Bool {
        for _ in 0..<Self.callsPerTurnMax {
            var ready = pollfd(fd: listener.raw, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 0) > 0 else { return true }
            guard Int32(ready.revents) & POLLIN != 0 else { return false }
            guard answerOne(listener) else { return true }
        }
        return true
    }

    private func answerOne(_ listener: Descriptor) -> Bool {
        var request = seccomp_notif()
        // ENOENT: the caller was killed between poll and here.
        guard seccomp_notify_receive(listener.raw, &request) == 0 else { return false }
        let name = syscallName(request.data.nr) ?? "syscall \(request.data.nr)"
        names.withLock { _ = $0.insert(name) }
        var response = seccomp_notif_resp()
        response.id = request.id
        response.error = SyscallRules.fallbacks.contains(name) ? -ENOSYS : -EPERM
        // ENOENT: the caller was killed meanwhile and wants no answer.
        _ = seccomp_notify_respond(listener.raw, &response)
        return true
    }
}
