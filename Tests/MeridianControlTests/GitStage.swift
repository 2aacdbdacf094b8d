// GitStage: a repository and an API that do what a test says, around the loop of a stage.
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts
import MeridianStore
import Synchronization
import Testing

/// A repository whose next look a test decides.
final class TestGit: GitPort {
    private struct State {
        var answer: Result<GitReading, GitError> = .failure(GitError(.fetchFailed, "not set"))
        var tree: Result<GitTree, GitError> = .failure(GitError(.fetchFailed, "not set"))
        var requests: [GitReadRequest] = []
    }

    private let state = Mutex(State())

    var requests: [GitReadRequest] { state.withLock { $0.requests } }

    func answer(_ answer: Result<GitReading, GitError>) { state.withLock { $0.answer = answer } }
    func answer(tree: Result<GitTree, GitError>) { state.withLock { $0.tree = tree } }

    func read(_ request: GitReadRequest) async throws(GitError) -> GitReading? {
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answer
        }
        let reading = try answer.get()
        return reading.commit.id == request.known ? nil : reading
    }

    func pack(_ request: GitPackRequest) async throws(GitError) -> GitTree { try state.withLock { $0.tree }.get() }
}

/// An API that writes what it is given into the store, but for what a test refuses.
final class TestWriter: ObjectWriting {
    private let store: MemoryStore
    private let log = Mutex<[String]>([])
    private let refusals = Mutex<[String: ObjectWriteError]>([:])

    init(store: MemoryStore) { self.store = store }

    /// What was done, in order; cleared by reading.
    func takeLog() -> [String] {
        log.withLock { log in
            defer { log = [] }
            return log.sorted()
        }
    }

    func refuse(_ name: String, _ error: ObjectWriteError?) { refusals.withLock { $0[name] = error } }

    func apply(
        _ object: JSONValue,
        manager: String,
        force: Bool,
        isDryRun: Bool
    ) async throws(ObjectWriteError) -> WrittenObject {
        var context = DecodingContext()
        guard let kind = object["kind"]?.string.flatMap(Kind.named), var new = kind.read(object, &context) else {
            throw ObjectWriteError(.invalid, "unreadable")
        }
        let name = new.metadata.name
        if let refusal = refusals.withLock({ $0[name] }) { throw refusal }
        do {
            let live = try await store.get(new.key)
            let old = live.flatMap { kind.read($0.value, &context) }
            new.metadata.uid = old?.metadata.uid ?? "uid-\(name)-\(live?.createRevision ?? 0)"
            new.metadata.managedFields = [["manager": .string(manager)]]
            new.metadata.generation = (old?.metadata.generation ?? 0) + 1
            let hasChanged = live?.value["spec"] != new.encoded()["spec"]
            if !hasChanged, let old { new.metadata.generation = old.metadata.generation }
            if isDryRun { return WrittenObject(uid: "", generation: 0, hasChanged: hasChanged) }
            log.withLock { $0.append("apply \(name)\(force ? "" : " gently")") }
            try await store.commit([.put(new.key, new.encoded(), .any)])
            return WrittenObject(uid: new.metadata.uid, generation: new.metadata.generation, hasChanged: hasChanged)
        } catch {
            throw ObjectWriteError(.unavailable, "\(error)")
        }
    }

    func delete(_ key: ObjectKey, uid: String) async throws(ObjectWriteError) {
        if let refusal = refusals.withLock({ $0[key.name] }) { throw refusal }
        do {
            guard try await store.get(key)?.value["metadata"]?["uid"]?.string == uid else { return }
            log.withLock { $0.append("delete \(key.name)") }
            try await store.commit([.delete(key, .any)])
        } catch {
            throw ObjectWriteError(.unavailable, "\(error)")
        }
    }
}

/// A loop with one GitSource of Regions.
struct GitStage {
    let stage = Stage()
    let git = TestGit()
    let writer: TestWriter

    static let key = ObjectKey(kind: "GitSource", name: "shop")

    init() { writer = TestWriter(store: stage.store) }

    func reconciler() -> Reconciler { stage.reconciler(git: git, writer: writer) }

    /// Declares the source, or changes it.
    func source(_ change: (inout GitSourceSpec) -> Void = { _ in }) async throws {
        var source = GitSource(metadata: Metadata(name: "shop"), spec: GitSourceSpec())
        source.metadata.uid = "uid-shop"
        source.spec.url = "https://example.org/x.git"
        source.spec.prune.enabled = true
        source.spec.prune.protectedKinds = []
        if let stored = try await status() { source.status = stored }
        source.metadata.generation = (try await generation() ?? 0) + 1
        change(&source.spec)
        try await stage.store.commit([.put(source.key, source.encoded(), .any)])
    }

    /// The repository's next commit: regions by name, the number stands for the content.
    func push(_ commit: Character, _ regions: [String: Int], problems: [GitProblem] = []) {
        let objects = regions.sorted { $0.key < $1.key }.map { name, content in
            GitObject(
                key: ObjectKey(kind: "Region", name: name),
                config: [
                    "apiVersion": "meridian.dev/v1", "kind": "Region", "metadata": ["name": .string(name)],
                    "spec": ["location": ["latitude": .integer(Int64(content)), "longitude": 1]],
                ],
                digest: "digest-\(content)",
                file: "\(name).yaml",
                line: 1
            )
        }
        let commit = GitCommit(id: String(repeating: commit, count: 40), subject: "change", author: "Anna")
        git.answer(.success(GitReading(commit: commit, objects: objects, problems: problems)))
    }

    /// Lets the interval pass and the loop come to rest.
    func settle(_ loop: Reconciler, after interval: Duration = .seconds(120)) async throws {
        stage.clock.advance(by: interval)
        #expect(try await stage.settle(loop), "the loop does not come to rest")
    }

    func status() async throws -> GitSourceStatus? {
        try await stage.read(GitSource.self, "shop", namespace: "")?.status
    }

    private func generation() async throws -> Int? {
        try await stage.read(GitSource.self, "shop", namespace: "")?.metadata.generation
    }

    /// `True Applied`: a condition in words.
    func condition(_ type: String) async throws -> String {
        guard let condition = try await status()?.conditions.condition(type) else { return "none" }
        return "\(condition.status.rawValue) \(condition.reason)"
    }

    func regions() async throws -> [String] {
        try await stage.store.snapshot(kinds: ["Region"]).records.map(\.key.name).sorted()
    }
}
