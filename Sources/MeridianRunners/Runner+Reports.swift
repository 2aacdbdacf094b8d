// Runner+Reports: what the event loop hears of a runner: output, reports, denied syscalls, the loss of its launcher.
internal import CZygote
internal import Glibc
internal import Synchronization

extension Runner {
    /// Bytes taken from a pipe per wake-up: a pipe's whole default capacity.
    private static let readBytesMax = 65_536

    func watch(
        _ descriptor: Descriptor,
        _ handler: @escaping @Sendable (EventLoop.Token) -> Void
    ) throws(SystemError) {
        let token = try loop.watch(descriptor, handler)
        state.withLock { $0.tokens.append(token) }
    }

    enum ReadResult { case more, nothing, ended }

    func read(_ descriptor: Descriptor, _ stream: LogStream) -> ReadResult {
        var bytes = [UInt8](repeating: 0, count: Self.readBytesMax)
        let count = Glibc.read(descriptor.raw, &bytes, bytes.count)
        if count > 0 {
            log.add(bytes[0..<count], stream)
            return .more
        }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .ended
    }

    func receive(_ socket: PacketSocket) {
        while true {
            switch socket.receive() {
            case .nothing: return
            case .ended: return orphaned()
            case .report(let report, let descriptors):
                if take(report, descriptors) { return }
            }
        }
    }

    /// Takes one report; true where it was the last.
    private func take(_ report: mz_report, _ descriptors: [Descriptor]) -> Bool {
        switch report.kind {
        case MZ_SPAWNED.rawValue:
            let wanted = state.withLock { state in
                state.pid = report.pid
                state.pidfd = descriptors.first
                return state.signalWanted
            }
            if let wanted { signal(wanted) }
            announce()
        case MZ_READY.rawValue:
            state.withLock { $0.network = descriptors.first }
            if descriptors.count > 1 { listen(descriptors[1]) }
            announce()
        case MZ_FAILED.rawValue:
            state.withLock { $0.failure = (report.step, report.error) }
        case MZ_EXITED.rawValue:
            state.withLock { $0.programStatus = report.status }
        default:
            finish(initStatus: report.status)
            return true
        }
        return false
    }

    /// The two packets come in either order; the runner is started when both are there.
    private func announce() {
        let ready = state.withLock { state in
            state.pidfd != nil ? state.network.map { StartedRunner(pid: state.pid, network: $0) } : nil
        }
        if let ready { started.fulfil(.success(ready)) }
    }

    private func listen(_ listener: Descriptor) {
        do throws(SystemError) {
            try watch(listener) { [self] token in
                if denial == .kill {
                    killForCall(listener, token)
                } else if !denied.answer(listener) {
                    loop.unwatch(token)
                }
            }
        } catch {
            // Without an answerer every denied call would hang: dropping the listener makes them fail with ENOSYS.
            log.add(Array("denied syscalls are not reported: \(error)\n".utf8)[...], .meridian)
            if denial == .kill { signal(SIGKILL) }
        }
    }

    private func killForCall(_ listener: Descriptor, _ token: EventLoop.Token) {
        guard let name = denied.takeOne(listener) else { return loop.unwatch(token) }
        state.withLock { $0.fatal = (name, listener) }
        signal(SIGKILL)
        loop.unwatch(token)
    }

    /// The zygote is dead and init has let go: the kernel kills the rest; the pidfd says when it has.
    private func orphaned() {
        let (pidfd, isFirst) = state.withLock { state in
            defer { state.waitsForOrphan = true }
            return (state.pidfd, !state.waitsForOrphan)
        }
        guard isFirst else { return }
        unwatchAll()
        guard let pidfd else { return finish(initStatus: SIGKILL) }
        signal(SIGKILL)
        do throws(SystemError) {
            try watch(pidfd) { [self] _ in finish(initStatus: SIGKILL) }
        } catch {
            finish(initStatus: SIGKILL)
        }
    }
}
