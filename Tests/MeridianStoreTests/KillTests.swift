// KillTests: a store whose process is killed at any moment loses no acknowledged write and invents none.
import Foundation
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianStore

@Suite("A store whose process is killed", .serialized)
struct KillTests {
    /// How often; `MERIDIAN_STORE_KILLS` overrides it.
    private static let killsDefault = 24

    /// Writers at once, so that kills fall between the commits of one group as well.
    fileprivate static let writers = 4

    @Test("at a random moment of a write load has every acknowledged write, none that was not sent, and goes on")
    func kills() async throws {
        let kills =
            ProcessInfo.processInfo.environment["MERIDIAN_STORE_KILLS"].flatMap { Int($0) } ?? Self.killsDefault
        try await withDirectory { directory in
            var lastRevision: Int64 = 0
            var acknowledged = 0
            for round in 1...kills {
                await #expect(processExitsWith: .signal(SIGKILL)) {
                    [directory = directory as String, round = round as Int] in
                    try await writeUntilKilled(directory: directory, round: round)
                }
                let store = try SQLiteStore(directory: directory, clock: TestClock())
                let snapshot = try await store.snapshot(kinds: nil)
                #expect(snapshot.revision >= lastRevision, "round \(round)")
                lastRevision = snapshot.revision
                acknowledged = try check(snapshot, directory: directory, round: round)
                try store.close()
            }
            #expect(acknowledged > kills, "only \(acknowledged) writes were acknowledged in \(kills) rounds")
            print("\(kills) kills, \(acknowledged) acknowledged writes, revision \(lastRevision)")
        }
    }

    /// Compares the store with what the writers noted; answers how many acknowledged writes there were.
    private func check(_ snapshot: StoreSnapshot, directory: String, round: Int) throws -> Int {
        let stored = Dictionary(uniqueKeysWithValues: snapshot.records.map { ($0.key.name, $0) })
        let sent = Set(try lines("\(directory)/sent"))
        let acknowledged = try lines("\(directory)/acknowledged")
        for line in acknowledged {
            let fields = line.split(separator: " ")
            let record = stored[String(fields[0])]
            #expect(record != nil, "round \(round): the acknowledged write \(line) is lost")
            #expect(record?.modRevision == Int64(fields[1]), "round \(round): \(line)")
        }
        for record in snapshot.records {
            #expect(sent.contains(record.key.name), "round \(round): \(record.key) was never sent")
            #expect(record.value == .string(record.key.name), "round \(round): \(record.key)")
        }
        let revisions = snapshot.records.map(\.modRevision)
        #expect(Set(revisions).count == revisions.count, "round \(round): two commits share a revision")
        return acknowledged.count
    }

    /// The whole lines of a file that may end in the middle of one.
    private func lines(_ path: String) throws -> [String] {
        let text = String(decoding: try fileBytes(path), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}

/// Writes objects as fast as it can and notes each before it is sent and after it is acknowledged, until a thread of its
/// own kills the process.
private func writeUntilKilled(directory: String, round: Int) async throws {
    let store = try SQLiteStore(directory: directory, clock: TestClock())
    let sent = try appending("\(directory)/sent")
    let acknowledged = try appending("\(directory)/acknowledged")
    let microseconds = UInt32.random(in: 0...100_000)
    Thread.detachNewThread {
        usleep(microseconds)
        kill(getpid(), SIGKILL)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<KillTests.writers {
            group.addTask {
                // Far more than are written before the kill.
                for number in 0..<100_000 {
                    let name = "w\(round)-\(writer)-\(number)"
                    note(name, in: sent)
                    let revision = try await store.commit([.put(.app(name), .string(name), .absent)])
                    note("\(name) \(revision)", in: acknowledged)
                }
            }
        }
        try await group.waitForAll()
    }
}

private func appending(_ path: String) throws -> Int32 {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    return descriptor
}

/// One line in one call: after a kill it is there as a whole or not at all.
private func note(_ line: String, in descriptor: Int32) {
    let bytes = Array("\(line)\n".utf8)
    let written = write(descriptor, bytes, bytes.count)
    precondition(written == bytes.count, "the note was not written: errno \(errno)")
}
