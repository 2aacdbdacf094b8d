// Seen: what a backend's handler saw, kept for the test.
import Synchronization

/// Requests in order of arrival.
final class Seen: Sendable {
    let requests = Mutex<[TestRequest]>([])
    let count = Mutex(0)
}
