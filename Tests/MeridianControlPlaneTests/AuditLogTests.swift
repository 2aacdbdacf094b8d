// AuditLogTests: the audit log's files: whole lines in order, bounded in number and size, and gaps that are told.
import Glibc
import Logging
import MeridianModel
import Testing

@testable import MeridianControlPlane

@Suite("The audit log's files")
struct AuditLogTests {
    private let directory: String

    init() throws {
        var template = Array("/tmp/meridian-audit-XXXXXX".utf8CString)
        directory = String(cString: try #require(mkdtemp(&template)))
    }

    private static let logger = Logger(label: "audit-test") { _ in SwiftLogNoOpLogHandler() }

    private func lines(_ name: String) throws -> [JSONValue] {
        let file = try #require(fopen("\(directory)/\(name)", "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer.prefix(count) }
        return try bytes.split(separator: UInt8(ascii: "\n")).map {
            try JSONValue(parsing: String(decoding: $0, as: UTF8.self))
        }
    }

    private func exists(_ name: String) -> Bool { access("\(directory)/\(name)", F_OK) == 0 }

    @Test("entries of many tasks are all there, each a line, those of one task in their order")
    func manyTasks() async throws {
        let log = AuditLog(path: "\(directory)/audit.log", logger: Self.logger)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<100 {
                        log.record(["task": .integer(Int64(task)), "number": .integer(Int64(number))])
                    }
                }
            }
        }
        log.flush()
        let lines = try lines("audit.log")
        #expect(lines.count == 800)
        for task in 0..<8 {
            let own = lines.filter { $0["task"]?.integer == Int64(task) }.map { $0["number"]?.integer }
            #expect(own == (0..<100).map { Int64($0) })
        }
    }

    @Test("a large file makes way, and only so many are kept")
    func rotation() throws {
        let file = RotatedFile(path: "\(directory)/audit.log")
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 9 << 20) + [UInt8(ascii: "\n")]
        for _ in 0..<10 { try file.append([line]) }
        #expect((1...7).allSatisfy { exists("audit.log.\($0)") })
        #expect(exists("audit.log") && !exists("audit.log.8"))
    }

    @Test("where the disk takes nothing entries are lost, and the next line says how many")
    func gap() throws {
        let place = "\(directory)/later"
        let log = AuditLog(path: "\(place)/audit.log", logger: Self.logger)
        log.record(["number": 1])
        log.flush()
        log.record(["number": 2])
        log.flush()
        #expect(mkdir(place, 0o700) == 0)
        log.record(["number": 3])
        log.flush()
        let lines = try lines("later/audit.log")
        #expect(lines.count == 2)
        #expect(lines.first?["annotations"]?["meridian.dev/lost"] == "2")
        #expect(lines.last == ["number": 3])
    }
}
