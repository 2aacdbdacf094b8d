// GitMemory: what the loop remembers of repositories between looks; lost with the process and found by looking again.
import MeridianModel
import MeridianPlanning

/// The views of all repositories, each of one object of all that ever had its name.
struct GitMemory: Sendable {
    private struct Entry {
        let uid: String
        var view = GitView()
        /// Failed writes in a row, by object.
        var failures: [ObjectKey: Int] = [:]
    }

    private var entries: [ObjectKey: Entry] = [:]

    /// The views of the objects that are there.
    func views(of uids: (ObjectKey) -> String?) -> [ObjectKey: GitView] {
        entries.filter { uids($0.key) == $0.value.uid }.mapValues(\.view)
    }

    /// Notes the beginning of a look; false where one is under way.
    mutating func begin(_ look: GitLook) -> Bool {
        if entries[look.subject]?.uid != look.uid { entries[look.subject] = Entry(uid: look.uid) }
        guard entries[look.subject]?.view.isLooking == false else { return false }
        entries[look.subject]?.view.isLooking = true
        entries[look.subject]?.view.isAnnounced = false
        return true
    }

    /// Notes how a look ended; one for an earlier object of the name is dropped.
    mutating func end(_ look: GitLook, _ result: GitLookResult, now: Timestamp) {
        guard var entry = entries[look.subject], entry.uid == look.uid else { return }
        entry.view.isLooking = false
        entry.view.lookedAt = now
        // What other settings found says nothing under these.
        if entry.view.settings != look.kind { entry.view.found = nil }
        entry.view.settings = look.kind
        switch result {
        case .found(let finding):
            entry.view.found = finding
            (entry.view.failure, entry.view.failures) = (nil, 0)
        case .unchanged: (entry.view.failure, entry.view.failures) = (nil, 0)
        case .failed(let failure):
            entry.view.failure = failure
            entry.view.failures += 1
        }
        entries[look.subject] = entry
    }

    /// Notes that a push was announced; false where nothing is known of the object.
    mutating func announce(_ subject: ObjectKey) -> Bool {
        guard entries[subject] != nil else { return false }
        entries[subject]?.view.isAnnounced = true
        return true
    }

    /// Notes how writes went.
    mutating func note(_ writes: [ObjectKey: GitWriteOutcome], of source: Fence) {
        guard entries[source.key]?.uid == source.uid else { return }
        for (key, outcome) in writes {
            entries[source.key]?.view.writes[key] = outcome
            if case .failed = outcome {
                entries[source.key]?.failures[key, default: 0] += 1
            } else {
                entries[source.key]?.failures[key] = nil
            }
        }
    }

    /// Failed writes of an object in a row.
    func failures(of key: ObjectKey, by source: Fence) -> Int {
        guard let entry = entries[source.key], entry.uid == source.uid else { return 0 }
        return entry.failures[key, default: 0]
    }

    /// Forgets the writes that a status has taken in.
    mutating func settle(_ source: ObjectKey) { entries[source]?.view.forgetRecordedWrites() }

    /// Forgets what belongs to objects that are gone; answers those whose look is still under way.
    mutating func forget(except uids: (ObjectKey) -> String?) -> [ObjectKey] {
        let gone = entries.filter { uids($0.key) != $0.value.uid }
        for key in gone.keys { entries[key] = nil }
        return gone.filter(\.value.view.isLooking).keys.sorted()
    }
}
