// Runner+Reports: what the event loop hears of a runner: output, that it was executed, denied syscalls.
internal import Glibc
internal import MeridianModel
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

    func unwatchAll() {
        let tokens = state.withLock { state in
            defer { state.tokens = [] }
            return state.tokens
        }
        for token in tokens { loop.unwatch(token) }
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

    /// The program runs.
    func noteExecuted() {
        state.withLock { $0.isExecuted = true }
        announce()
    }

    /// The program made its first denied call of this number, which init has answered, or kills it for.
    func noteDenied(_ number: Int32) {
        let name = syscallName(number) ?? DeniedWords.unnamed(number)
        state.withLock { state in
            state.denied.insert(name)
            if onDeniedAction == .kill, state.fatal == nil { state.fatal = name }
        }
        onDenied(self, name)
    }

    func noteProgramEnded(_ status: Int32) { state.withLock { $0.programStatus = status } }

    /// The reports come from two processes; the runner is started when all that matter are there.
    func announce() {
        guard state.withLock({ $0.isExecuted }), let place = shell.place else { return }
        started.fulfil(.success(place))
    }
}
