// LoadRun: many requests at once over kept-alive connections, every answer counted.
import Foundation
import Synchronization

/// What came of a load.
struct LoadReport {
    /// Requests by status; 0 stands for a broken connection.
    var statuses: [Int: Int] = [:]
    /// Answers by `x-meridian-revision`.
    var revisions: [String: Int] = [:]
    var failures: [String] = []

    var total: Int { statuses.values.reduce(0, +) }
    /// Requests that were not answered with 2xx.
    var failed: Int { statuses.filter { $0.key < 200 || $0.key > 299 }.values.reduce(0, +) }
}

/// A load that runs beside the test.
final class LoadRun: Sendable {
    private let report = Mutex(LoadReport())
    private let remaining: Atomic<Int>
    private let group = DispatchGroup()

    private let startedCount = Atomic(0)

    /// Starts `requests` requests to `host`, `concurrency` at a time.
    init(port: UInt16, host: String, path: String = "/", requests: Int, concurrency: Int) {
        remaining = Atomic(requests)
        for _ in 0..<concurrency {
            group.enter()
            let thread = Thread {
                self.work(port: port, host: host, path: path)
                self.group.leave()
            }
            thread.start()
        }
    }

    private func work(port: UInt16, host: String, path: String) {
        let connection = HTTPConnection(port: port)
        while remaining.subtract(1, ordering: .relaxed).oldValue > 0 {
            do {
                startedCount.add(1, ordering: .relaxed)
                let answer = try connection.get(host, path)
                report.withLock { report in
                    report.statuses[answer.status, default: 0] += 1
                    report.revisions[answer.headers["x-meridian-revision"] ?? "", default: 0] += 1
                    if answer.status > 299 { report.failures.append("\(answer.status) \(answer.body.prefix(200))") }
                }
            } catch {
                report.withLock { report in
                    report.statuses[0, default: 0] += 1
                    report.failures.append("\(error)")
                }
            }
        }
    }

    /// Requests that have been begun so far.
    var started: Int { startedCount.load(ordering: .relaxed) }

    /// Requests that have been answered so far.
    var answered: Int { report.withLock { $0.total } }

    /// Waits for the end.
    func finish() -> LoadReport {
        group.wait()
        return report.withLock { $0 }
    }
}
