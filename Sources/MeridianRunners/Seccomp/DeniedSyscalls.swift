// DeniedSyscalls: takes the calls that a filter with a listener stops, and remembers their names.
internal import CSeccomp
internal import Glibc
internal import Synchronization

/// The listener's side of a filter with `.report` or `.kill`: no denied call is ever let through.
final class DeniedSyscalls: Sendable {
    /// Calls answered per wake-up, so that a program in a loop of them does not hold the event loop.
    private static let callsPerTurnMax = 64

    private let names = Mutex<Set<String>>([])

    /// The names seen so far, sorted.
    var seen: [String] { names.withLock { $0.sorted() } }

    /// Answers what waits on `listener` with errors; false where the listener's program has ended.
    func answer(_ listener: Descriptor) -> Bool {
        for _ in 0..<Self.callsPerTurnMax {
            guard let events = Self.events(of: listener) else { return true }
            guard events & POLLIN != 0 else { return false }
            if let (name, id) = take(listener) { respond(listener, id, name) }
        }
        return true
    }

    /// The name of one call that waits on `listener`, which is left waiting; nil where there is none.
    func takeOne(_ listener: Descriptor) -> String? {
        guard let events = Self.events(of: listener), events & POLLIN != 0 else { return nil }
        return take(listener)?.name
    }

    /// What poll(2) says now; nil for nothing.
    private static func events(of listener: Descriptor) -> Int32? {
        var ready = pollfd(fd: listener.raw, events: Int16(POLLIN), revents: 0)
        return poll(&ready, 1, 0) > 0 ? Int32(ready.revents) : nil
    }

    private func take(_ listener: Descriptor) -> (name: String, id: UInt64)? {
        var request = seccomp_notif()
        // ENOENT: the caller was killed between poll and here.
        guard seccomp_notify_receive(listener.raw, &request) == 0 else { return nil }
        let name = syscallName(request.data.nr) ?? "syscall \(request.data.nr)"
        names.withLock { _ = $0.insert(name) }
        return (name, request.id)
    }

    private func respond(_ listener: Descriptor, _ id: UInt64, _ name: String) {
        var response = seccomp_notif_resp()
        response.id = id
        response.error = SyscallRules.fallbacks.contains(name) ? -ENOSYS : -EPERM
        // ENOENT: the caller was killed meanwhile and wants no answer.
        _ = seccomp_notify_respond(listener.raw, &response)
    }
}

/// What to say of denied syscalls.
enum DeniedWords {
    /// `blocked syscall ptrace: add to the SyscallAllowlist ...` with the line to add; calls that are allowed by name were
    /// blocked for their arguments.
    static func message(_ denied: [String], allowed: [String]) -> String {
        let allowed = Set(allowed)
        let missing = denied.filter { !allowed.contains($0) }
        let limited = denied.filter { allowed.contains($0) }
        var parts: [String] = []
        if !missing.isEmpty {
            let names = missing.joined(separator: ", ")
            parts.append("blocked syscall \(names): add to the SyscallAllowlist `allow: [\(names)]`")
        }
        if !limited.isEmpty {
            let names = limited.joined(separator: ", ")
            parts.append("blocked syscall \(names) with arguments that no allowlist permits")
        }
        return parts.joined(separator: "; ")
    }
}
