// BuildNotes: shows how far a build is in its revision's status, for those who watch it.
import MeridianModel
import MeridianPorts

/// Writes the stages of running builds into their revisions.
///
/// These notes are for people; a lost one is no loss, since the end of the build writes everything.
final class BuildNotes: Sendable {
    private let store: any StorePort
    private let clock: any ClockPort
    private let notes: AsyncStream<(ObjectKey, BuildProgress)>
    private let source: AsyncStream<(ObjectKey, BuildProgress)>.Continuation

    /// Notes that may wait to be written; older ones are dropped first, since only the last matters.
    private static let waitingMax = 256

    init(store: any StorePort, clock: any ClockPort) {
        self.store = store
        self.clock = clock
        (notes, source) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.waitingMax))
    }

    /// Takes a note; output lines are in the build's log already.
    func note(_ revision: ObjectKey, _ progress: BuildProgress) {
        if case .output = progress { return }
        source.yield((revision, progress))
    }

    /// Writes notes until cancelled.
    func run() async {
        for await (revision, progress) in notes { await write(progress, to: revision) }
    }

    private func write(_ progress: BuildProgress, to key: ObjectKey) async {
        do throws(StoreError) {
            guard let record = try await store.get(key) else { return }
            var context = DecodingContext()
            guard var revision = Revision.decode(record.value, at: FieldPath(), &context),
                revision.status.conditions.condition("Built")?.status ?? .unknown == .unknown
            else { return }
            switch progress {
            case .stageStarted(let stage):
                let condition = Condition("Built", .unknown, "Building", "stage \(stage.rawValue)")
                revision.status.conditions = revision.status.conditions.setting(
                    [condition],
                    generation: revision.metadata.generation,
                    now: clock.now
                )
            case .stageEnded(let stage, let duration):
                revision.status.stages.removeAll { $0.name == stage.rawValue }
                revision.status.stages.append(StageDuration(name: stage.rawValue, duration: duration))
            case .output: return
            }
            try await store.commit([.put(key, revision.encoded(), .modRevision(record.modRevision))])
        } catch {
            // Somebody else wrote the revision, or the store is away: the loop deals with both; a note is not repeated.
            return
        }
    }
}
