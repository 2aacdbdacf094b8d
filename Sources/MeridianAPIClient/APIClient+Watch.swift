// APIClient+Watch: the changes of objects as they happen.
internal import AsyncHTTPClient
package import MeridianModel

/// One change of one object.
package struct WatchEvent: Sendable, Equatable {
    /// What happened.
    package enum Change: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
        /// Nothing; the object holds only the resourceVersion that was reached.
        case bookmark = "BOOKMARK"
    }

    package let change: Change
    package let object: JSONValue

    package init(_ change: Change, _ object: JSONValue) {
        self.change = change
        self.object = object
    }

    /// The version to go on after.
    package var resourceVersion: String? { object["metadata"]?["resourceVersion"]?.string }
}

extension APIClient {
    /// A watch lasts a day at most; it then ends like a connection that was lost.
    private static let watchDuration = Duration.seconds(86_400)

    /// The changes of a kind's objects after a version, in order, without gap or duplicate.
    ///
    /// The events end when the server ends the watch; going on after the last `resourceVersion` is the caller's.
    /// They throw `.gone` where that version is too old: list and watch again.
    /// Without a version every object comes first, as added, then the changes. The server ends the watch after
    /// `duration`; nil: as it likes.
    package func watch(
        _ kind: Kind,
        _ selection: Selection = Selection(),
        after version: String? = nil,
        for duration: Duration? = nil
    ) async throws(APIClientError) -> WatchEvents {
        let query = queryText([
            "watch": "1", "resourceVersion": version, "labelSelector": selection.labels,
            "fieldSelector": selection.fields,
            "timeoutSeconds": duration.map { String(max(1, $0.wholeMilliseconds / 1000)) },
        ])
        let path = path(kind, namespace: selection.namespace) + query
        let response = try await endpoint.open("GET", path, within: Self.watchDuration)
        return WatchEvents(ResponseLines(response.body, from: endpoint), server: server)
    }
}

/// The events of one watch, which ends when the iteration ends.
///
/// It can be iterated once. Errors are `APIClientError`.
package struct WatchEvents: AsyncSequence, Sendable {
    private let lines: ResponseLines
    private let server: String

    init(_ lines: ResponseLines, server: String) {
        self.lines = lines
        self.server = server
    }

    package func makeAsyncIterator() -> Iterator { Iterator(lines: lines.makeAsyncIterator(), server: server) }

    /// Reads one event per line.
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate var lines: ResponseLines.Iterator
        fileprivate let server: String

        package mutating func next() async throws -> WatchEvent? {
            guard let line = try await lines.next() else { return nil }
            let event = try parsed(line)
            guard let object = event["object"], let type = event["type"]?.string else { throw malformed }
            if type == "ERROR" {
                throw APIClientError(
                    status: object,
                    httpStatus: object["code"]?.integer.map { Int($0) } ?? 500,
                    server: server
                )
            }
            guard let change = WatchEvent.Change(rawValue: type) else { throw malformed }
            return WatchEvent(change, object)
        }

        private func parsed(_ line: [UInt8]) throws(APIClientError) -> JSONValue {
            do { return try JSONValue(parsing: line) } catch { throw malformed }
        }

        private var malformed: APIClientError {
            APIClientError(.malformed, "\(server) sent a line that is no watch event; is it a Meridian API?")
        }
    }
}
