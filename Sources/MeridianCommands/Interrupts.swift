// Interrupts: ctrl-C ends a verb after it has put away its temporary files.

internal import Dispatch
internal import Glibc

/// The interrupts (SIGINT) of the process while a client's verb runs.
enum Interrupts {
    /// How long a verb may take to end after ctrl-C; a read from a terminal, for one, does not end by itself.
    private static let graceMilliseconds = 1000

    /// Runs `body` in a task that ctrl-C cancels; the process ends with code 130 where that does not end it in time.
    static func cancelling(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let work = Task { try await body() }
        signal(SIGINT, SIG_IGN)
        let queue = DispatchQueue(label: "meridian.interrupts")
        let interrupts = DispatchSource.makeSignalSource(signal: SIGINT, queue: queue)
        interrupts.setEventHandler {
            work.cancel()
            queue.asyncAfter(deadline: .now() + .milliseconds(graceMilliseconds)) { _exit(CommandExitCode.interrupted) }
        }
        interrupts.activate()
        defer { interrupts.cancel() }
        try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            work.cancel()
        }
    }
}
