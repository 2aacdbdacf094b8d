// WorkerThread: a thread of our own, for work that blocks or that the kernel ties to one thread.
internal import Glibc

/// Starts a detached thread that runs `body` to its end.
func startThread(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
    let context = Unmanaged.passRetained(ThreadBody(run: body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread,
        nil,
        { context in
            // The one retain of passRetained above is taken back here, once, on the new thread.
            if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run() }
            return nil
        },
        context.toOpaque()
    )
    guard code == 0 else {
        context.release()
        throw SystemError("start a thread", code: code)
    }
    pthread_detach(thread)
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
}
