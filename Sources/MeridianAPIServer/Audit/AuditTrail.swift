// AuditTrail: what one request turned out to be and to change, noted on its way.
internal import MeridianContent
internal import MeridianModel
internal import Synchronization

/// The notes of one request.
final class AuditTrail: Sendable {
    /// The net change of one object.
    struct Change: Equatable {
        let key: ObjectKey
        /// SHA-256 of the stored object before and after, each as JSON text and ended by a newline.
        ///
        /// The text is empty where there was or is no object. Values of Secrets are sealed in both.
        let digest: Digest
        let revision: Int64
    }

    private struct Notes {
        var caller = Caller.anonymous
        var changes: [Change] = []
        var manager: String?
    }

    private let notes = Mutex(Notes())

    /// Who sent the request.
    var caller: Caller { notes.withLock { $0.caller } }
    /// The objects that were changed, in order.
    var changes: [Change] { notes.withLock { $0.changes } }
    /// In whose name fields were written.
    var manager: String? { notes.withLock { $0.manager } }

    func admit(_ caller: Caller) { notes.withLock { $0.caller = caller } }

    func name(manager: String) { notes.withLock { $0.manager = manager } }

    /// An object changed, at a revision of the store.
    func add(_ key: ObjectKey, from before: JSONValue?, to after: JSONValue?, at revision: Int64) {
        let texts = [before, after].map { ($0?.utf8() ?? []) + [UInt8(ascii: "\n")] }
        let change = Change(key: key, digest: Digest.of(texts.flatMap(\.self)), revision: revision)
        notes.withLock { $0.changes.append(change) }
    }
}
