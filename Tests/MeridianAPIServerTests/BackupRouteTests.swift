// BackupRouteTests: a backup over the API: streamed, told in the audit log, and never taken for whole where it is not.
import MeridianAPIClient
import MeridianAPIServer
import MeridianModel
import MeridianPorts
import Synchronization
import Testing

@Suite("A backup over the API")
struct BackupRouteTests {
    @Test("brings every byte in order, and leaves an entry that says whether the keys were asked for")
    func streams() async throws {
        try await TestServer.run { server in
            let pieces = (0..<40).map { [UInt8](repeating: UInt8($0), count: 100_000) }
            server.backends.backup.withLock { $0 = .init(pieces: pieces) }
            var bytes: [UInt8] = []
            for try await piece in try await server.client.backup(withKeys: true) { bytes += piece }
            #expect(bytes == pieces.flatMap(\.self))
            #expect(server.backends.backup.withLock { $0.wishes } == [true])
            let entry = try #require(server.audit.entries.withLock { $0 }.last)
            #expect(entry["requestURI"] == "/meridian/v1/backup?keys=true")
            #expect(entry["user"]?["username"] == "meridian:local")
        }
    }

    @Test("ends with an error where it breaks off in the middle")
    func breaksOff() async throws {
        try await TestServer.run { server in
            server.backends.backup.withLock { $0 = .init(pieces: [[1, 2, 3]], failsAtEnd: true) }
            let pieces = try await server.client.backup(withKeys: false)
            await #expect(throws: APIClientError.self) { for try await _ in pieces {} }
        }
    }

    @Test("is refused in words before the first byte where it cannot be made")
    func refused() async throws {
        try await TestServer.run { server in
            server.backends.backup.withLock { $0 = .init(refusal: "another backup is being made") }
            let error = await #expect(throws: APIClientError.self) { try await server.client.backup(withKeys: false) }
            #expect(error?.httpStatus == 503)
            #expect(error?.message.contains("another backup is being made") == true)
        }
    }

    @Test("does not hold up the server's end", .timeLimit(.minutes(1)))
    func shutdown() async throws {
        try await TestServer.run { server in
            server.backends.backup.withLock { $0 = .init(pieces: [[1]], isEndless: true) }
            let pieces = try await server.client.backup(withKeys: false)
            await #expect(throws: APIClientError.self) {
                for try await _ in pieces { await server.stop() }
            }
            for await _ in server.ended {}
        }
    }
}
