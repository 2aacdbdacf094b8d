// ActivityPool: runs builds, port checks and looks at repositories beside the loop, and ends them with it.
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts
import Synchronization

/// Long work; at most one piece per object.
final class ActivityPool: Sendable {
    private let running = Mutex<[ObjectKey: Task<Void, Never>]>([:])
    private let notes: BuildNotes
    private let work: AsyncStream<Job>
    private let source: AsyncStream<Job>.Continuation

    private struct Job: Sendable {
        let work: ActivityWork
        let executor: Executor
    }

    init(notes: BuildNotes) {
        self.notes = notes
        (work, source) = AsyncStream.makeStream(of: Job.self)
    }

    /// Hands in work; it begins as soon as `run` gets to it.
    func start(_ work: ActivityWork, _ executor: Executor) { source.yield(Job(work: work, executor: executor)) }

    /// Cancels the work on an object, if there is any.
    func cancel(_ subject: ObjectKey) { running.withLock { $0[subject] }?.cancel() }

    /// Runs what is handed in until cancelled; then cancels what runs and waits for its end.
    func run(finish: @escaping @Sendable (ActivityWork, WorkResult) -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            for await job in work {
                group.addTask { await self.perform(job, finish: finish) }
            }
            group.cancelAll()
        }
    }

    private func perform(
        _ job: Job,
        finish: @escaping @Sendable (ActivityWork, WorkResult) -> Void
    ) async {
        let subject = job.work.subject
        // An inner task of its own, so that one piece of work can be cancelled alone; the handler ties it to the pool.
        let task = Task {
            let result = await job.executor.perform(job.work) { self.notes.note($0, $1) }
            if !Task.isCancelled { finish(job.work, result) }
        }
        running.withLock { $0[subject] = task }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        running.withLock { $0[subject] = nil }
    }
}
