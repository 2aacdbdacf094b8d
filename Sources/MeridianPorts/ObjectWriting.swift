// ObjectWriting: writing objects as a client of the API does, from inside the control plane.
package import MeridianModel

/// The API's own write path: every check, merge and rule of a request, without a connection.
package protocol ObjectWriting: Sendable {
    /// Server-side apply of a whole configuration as `manager`.
    ///
    /// `force`: takes fields over that others manage; without it they are a `.conflict`.
    /// `isDryRun`: checks all and writes nothing.
    func apply(
        _ object: JSONValue,
        manager: String,
        force: Bool,
        isDryRun: Bool
    ) async throws(ObjectWriteError) -> WrittenObject

    /// Begins the deletion of the object that has `uid`; another one of its name is left alone.
    ///
    /// An object that is not there is no error.
    func delete(_ key: ObjectKey, uid: String) async throws(ObjectWriteError)
}

/// An object after it was applied.
package struct WrittenObject: Sendable, Equatable {
    package var uid: String
    package var generation: Int
    /// Whether the write changed anything.
    package var hasChanged: Bool

    package init(uid: String, generation: Int, hasChanged: Bool) {
        self.uid = uid
        self.generation = generation
        self.hasChanged = hasChanged
    }
}

/// Why an object was not written.
package struct ObjectWriteError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The stable code.
    package enum Code: String, Sendable {
        /// Others manage fields that the configuration sets, or the object is being deleted.
        case conflict
        /// The object breaks a rule; only another configuration helps.
        case invalid
        /// Not now: the store does not answer.
        case unavailable
    }

    package let code: Code
    /// In the API's words.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "write: \(code.rawValue): \(message)" }
}

/// A program without an API, as tests of other things are.
package struct NoWriting: ObjectWriting {
    package init() {}

    package func apply(
        _ object: JSONValue,
        manager: String,
        force: Bool,
        isDryRun: Bool
    ) async throws(ObjectWriteError) -> WrittenObject { throw Self.error }

    package func delete(_ key: ObjectKey, uid: String) async throws(ObjectWriteError) { throw Self.error }

    private static let error = ObjectWriteError(.unavailable, "this program has no API to write objects through")
}
