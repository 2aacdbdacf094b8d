// AuditReading: looks through the audit log's files, the newest first.
import Dispatch
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts

/// Reads the files that `AuditLog` writes.
struct AuditReading: AuditReadPort {
    let log: AuditLog
    /// The path of the newest file; its predecessors have a number behind it.
    let path: String

    /// Reading up to eight files of sixteen megabytes is no work for the threads of Swift's tasks.
    private static let queue = DispatchQueue(label: "meridian.audit.reading")

    func entries(_ query: AuditQuery) async throws(BackendError) -> [JSONValue] {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<[JSONValue], BackendError>, Never>) in
            Self.queue.async {
                // What was answered before this question is on the disk, or told as lost.
                log.flush()
                do throws(ContentError) {
                    continuation.resume(returning: .success(try read(query)))
                } catch {
                    continuation.resume(
                        returning: .failure(BackendError(.unavailable, "the audit log cannot be read: \(error)"))
                    )
                }
            }
        }
        return try result.get()
    }

    /// The last entries that are wanted; files are read from the newest to the oldest until there are enough.
    private func read(_ query: AuditQuery) throws(ContentError) -> [JSONValue] {
        var found: [JSONValue] = []
        for number in 0...RotatedFile.predecessorsMax {
            let file = number == 0 ? path : "\(path).\(number)"
            let bytes: [UInt8]
            do throws(ContentError) {
                bytes = try DurableFile.read(file)
            } catch {
                // A file that moved on while it was looked for is read under its next number.
                if error.code == .notFound { continue }
                throw error
            }
            for line in bytes.split(separator: UInt8(ascii: "\n")).reversed() {
                guard let entry = Self.entry(line) else { continue }
                if let since = query.since, let time = Self.time(of: entry), time < since { return found.reversed() }
                if query.wants(entry) { found.append(entry) }
                if found.count >= query.limit { return found.reversed() }
            }
        }
        return found.reversed()
    }

    /// The entry of a line; nil for a line that a crash cut, whose rest is lost.
    private static func entry(_ line: ArraySlice<UInt8>) -> JSONValue? {
        do throws(JSONSyntaxError) { return try JSONValue(parsing: Array(line)) } catch { return nil }
    }

    private static func time(of entry: JSONValue) -> Timestamp? {
        (entry["stageTimestamp"] ?? entry["requestReceivedTimestamp"])?.string.flatMap { Timestamp($0) }
    }
}
