// ScheduledSessions: the HTTP/2 connections that have something to send once the batch of events is over.

/// Sessions in the order of their first write; one loop's own.
///
/// An object, so that a write in the middle of the loop can add to it.
final class ScheduledSessions {
    private var sessions: [H2Session] = []

    var isEmpty: Bool { sessions.isEmpty }

    func add(_ session: H2Session) {
        guard !session.isScheduled else { return }
        session.isScheduled = true
        sessions.append(session)
    }

    /// All of them, which are then no longer scheduled.
    func take() -> [H2Session] {
        defer { sessions.removeAll(keepingCapacity: true) }
        for session in sessions { session.isScheduled = false }
        return sessions
    }
}
