// APIBackendPorts: what the API server asks of the rest of the control plane, besides the store.
package import MeridianModel

/// Answers what the loop would do.
package protocol PlanPort: Sendable {
    /// The plan for the stored objects with `objects` put over them and `removed` ones deleted, as a plan document
    /// (`PlanDocument`); changes nothing.
    ///
    /// `objects`: complete, checked objects in their stored form, only those that differ from the store; none of either:
    ///   the plan is what the loop would do now.
    func plan(
        overlaying objects: [JSONValue],
        removing removed: [ObjectKey]
    ) async throws(BackendError) -> JSONValue
}

/// Reads what an app's runners and builds printed.
package protocol LogPort: Sendable {
    /// The lines that were asked for, oldest first, without newlines: `<RFC 3339 time> <runner or stage> <text>`.
    ///
    /// The stream ends after the last line, or never where the request follows; ending the iteration stops the reading.
    func log(_ request: LogRequest) async throws(BackendError) -> AsyncThrowingStream<String, any Error>
}

/// Which lines of an app's output.
package struct LogRequest: Sendable, Equatable {
    /// The app.
    package var app: ObjectKey
    /// Only lines of this revision; nil: of all of them (of the newest, for a build).
    package var revision: String?
    /// Only lines of this runner; nil: of all of them.
    package var runner: String?
    /// Only this many last lines; nil: all that are kept.
    package var tailLines: Int?
    /// Whether new lines are sent as they are printed.
    package var follows: Bool
    /// The output of the build rather than of the runners.
    package var isBuild: Bool

    package init(
        app: ObjectKey,
        revision: String? = nil,
        runner: String? = nil,
        tailLines: Int? = nil,
        follows: Bool = false,
        isBuild: Bool = false
    ) {
        self.app = app
        self.revision = revision
        self.runner = runner
        self.tailLines = tailLines
        self.follows = follows
        self.isBuild = isBuild
    }
}

/// The bytes of an upload, piece by piece: the next piece is read from the client when it is asked for.
package typealias BlobBytes = any AsyncSequence<[UInt8], any Error> & Sendable

/// Takes packed sources and bundles from clients.
package protocol BlobUploadPort: Sendable {
    /// Whether the blob is there already, so that nothing need be sent.
    func contains(_ digest: Digest) async -> Bool

    /// Stores what `chunks` brings under `digest`, or throws and stores nothing under it.
    ///
    /// - Throws: `.invalid` where the bytes have another digest. An error of `chunks` is thrown as `.interrupted`.
    func receive(_ digest: Digest, _ chunks: BlobBytes) async throws(BackendError)
}

/// Sums up the platform's state.
package protocol StatusPort: Sendable {
    /// The summary that `meridian status` shows, as JSON.
    func status() async throws(BackendError) -> JSONValue
}

/// Why a part of the control plane did not answer.
package struct BackendError: Error, Sendable, CustomStringConvertible {
    /// The stable code.
    package enum Code: String, Sendable {
        /// There is nothing of that name.
        case notFound
        /// The request cannot be right, now or later.
        case invalid
        /// The client went away or sent too much.
        case interrupted
        /// Not now: stopping, disk full, node away.
        case unavailable
    }

    package let code: Code
    /// What failed, on what, and the next step.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "backend: \(code.rawValue): \(message)" }
}
