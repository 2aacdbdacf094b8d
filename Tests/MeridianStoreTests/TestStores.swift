// TestStores: stores to test, a clock that stands still until told, and readers of watches.
import Glibc
import MeridianModel
import MeridianPorts
import Synchronization
import Testing

@testable import MeridianStore

/// A clock that the test moves.
final class TestClock: ClockPort {
    private let time = Mutex(Timestamp(milliseconds: 1_700_000_000_000))

    var now: Timestamp { time.withLock { $0 } }

    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }

    /// Stores own no timer, so nothing here may sleep.
    func sleep(until deadline: Timestamp) async throws { throw CancellationError() }
}

/// The implementations that must behave alike.
enum Engine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case sqlite

    var testDescription: String { rawValue }

    /// Runs `body` on an empty store, which is closed and deleted afterwards.
    func withStore(_ body: (any StorePort, TestClock) async throws -> Void) async throws {
        let clock = TestClock()
        switch self {
        case .memory: try await body(MemoryStore(clock: clock), clock)
        case .sqlite:
            try await withDirectory { directory in
                let store = try SQLiteStore(directory: directory, clock: clock)
                try await body(store, clock)
                try store.close()
            }
        }
    }
}

/// Runs `body` with a directory that is deleted afterwards.
func withDirectory<Answer>(_ body: (String) async throws -> Answer) async throws -> Answer {
    var template = Array("/tmp/meridian-store-XXXXXX\0".utf8CString.dropLast())
    let made = try #require(mkdtemp(&template))
    let directory = String(cString: made)
    defer { removeTree(directory) }
    return try await body(directory)
}

/// Deletes a directory of files.
private func removeTree(_ directory: String) {
    for name in names(in: directory) { unlink("\(directory)/\(name)") }
    rmdir(directory)
}

/// The names of the files in a directory.
func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

extension ObjectKey {
    static func app(_ name: String, namespace: String = "default") -> ObjectKey {
        ObjectKey(kind: "App", namespace: namespace, name: name)
    }
}

extension StorePort {
    /// The next `count` events after a revision.
    func events(after revision: Int64, count: Int, kinds: Set<String>? = nil) async throws -> [StoreEvent] {
        var events: [StoreEvent] = []
        guard count > 0 else { return [] }
        for try await event in watch(after: revision, kinds: kinds) {
            events.append(event)
            if events.count == count { break }
        }
        return events
    }

    func put(_ key: ObjectKey, _ value: JSONValue) async throws(StoreError) -> Int64 {
        try await commit([.put(key, value, .any)])
    }
}

/// The store error that `body` throws; records an issue where it throws none.
func storeError(_ body: () async throws -> Void) async -> StoreError? {
    do {
        try await body()
        Issue.record("no error was thrown")
        return nil
    } catch {
        return error as? StoreError
    }
}

/// Waits until `condition` holds, giving other tasks turns; false after the bound.
func eventually(_ condition: () -> Bool) async -> Bool {
    // Each turn lets every ready task run a step; far more turns than any hand-over here takes.
    for _ in 0..<1_000_000 {
        if condition() { return true }
        await Task.yield()
    }
    return false
}
