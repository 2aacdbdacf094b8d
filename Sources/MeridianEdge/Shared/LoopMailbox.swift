// LoopMailbox: what other threads want of one loop, and the eventfd that wakes it.
internal import CLinux
internal import Glibc
internal import MeridianRouting
internal import Synchronization

/// One wish, carried out by the loop between two batches of events.
enum LoopCommand: Sendable {
    /// Serve by this table, whose slots lead to these targets.
    case table(CompiledRouteTable, TableTargets)
    /// The complete set of runners of a target.
    case runners(TargetRecord, [RunnerRecord], concurrencyMax: Int64)
    /// Answer the waiting requests of a target with 503 and these words.
    case fail(TargetRecord, message: String)
    /// Forget targets that no table and no request refers to.
    case forget([TargetRecord])
    case drain
    case stop
}

/// The way into a loop.
///
/// Any thread may post; only the loop takes.
final class LoopMailbox: Sendable {
    private struct Box {
        var commands: [(LoopCommand, Countdown)] = []
        var isClosed = false
    }

    /// Readable while something is posted.
    let descriptor: Int32
    private let box = Mutex(Box())

    init() throws(EdgeError) {
        descriptor = clinux_eventfd()
        guard descriptor >= 0 else {
            throw EdgeError(
                code: .noResources,
                message: "no eventfd (errno \(-descriptor)); raise the descriptor limit"
            )
        }
    }

    deinit { close(descriptor) }

    /// Posts a command; `countdown` goes down by one once the loop has carried it out or has ended.
    func post(_ command: LoopCommand, _ countdown: Countdown) {
        let isPosted = box.withLock { box in
            guard !box.isClosed else { return false }
            box.commands.append((command, countdown))
            return true
        }
        if isPosted { wake() } else { countdown.down() }
    }

    /// Makes the loop look at its waiting requests, since another loop gave a place back.
    func wake() {
        // The only failure is a counter that is full, and then the loop is awake already.
        _ = clinux_eventfd_signal(descriptor)
    }

    /// Everything posted so far, in order.
    func take() -> [(LoopCommand, Countdown)] {
        box.withLock { box in
            defer { box.commands = [] }
            return box.commands
        }
    }

    /// The loop has ended: what is left counts as carried out.
    func close() {
        let left = box.withLock { box in
            defer { box.commands = [] }
            box.isClosed = true
            return box.commands
        }
        for (_, countdown) in left { countdown.down() }
    }

    private func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }
}

/// Resumes one waiter when a number of things have happened.
final class Countdown: Sendable {
    private let state: Mutex<(left: Int, waiter: CheckedContinuation<Void, Never>?)>

    init(_ count: Int) { state = Mutex((left: count, waiter: nil)) }

    /// One thing has happened.
    func down() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.left -= 1
            guard state.left == 0 else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns when all have happened; one caller only.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.left > 0 else { return true }
                state.waiter = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}
